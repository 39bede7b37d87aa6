// The simulation as the tests run it: some seeds, every world that was ever broken, and that a seed is the same every time.
import { describe, expect, test } from 'vitest';
import { joinResults } from './batch.ts';
import { readCorpus } from './corpus.ts';
import { runJobs } from './jobs.ts';
import { drawProfile } from './profile.ts';
import { faultsNeverSeen, tellFinding } from './report.ts';
import { runWorld } from './world.ts';

const SEEDS = 500;
const PATIENCE_MS = 15 * 60_000;

describe('a simulated fleet', () => {
  test(`promises 1 to 10: hold in ${SEEDS} worlds, in which every fault strikes`, {
    timeout: PATIENCE_MS,
  }, async () => {
    const results = await runJobs({
      from: 1,
      seeds: SEEDS,
      jobs: 2,
      first: false,
      always: [],
      onResult: () => undefined,
    });
    const all = joinResults(results);
    expect(all.findings.map(tellFinding)).toEqual([]);
    expect(all.seeds).toBe(SEEDS);
    expect(faultsNeverSeen(all)).toEqual([]);
  });

  test.each(readCorpus().map(({ why, profile }) => [why, profile] as const))(
    'is not broken again: %s',
    { timeout: PATIENCE_MS },
    async (_why, profile) => {
      expect((await runWorld(profile)).failure).toBeUndefined();
    },
  );

  test.each([3, 14, 159, 2653])('of seed %i does the same every time', { timeout: PATIENCE_MS }, async (seed) => {
    const hashes: string[] = [];
    for (const seeds of [[seed], [seed + 1, seed]]) {
      for (const each of seeds) {
        const { trace } = await runWorld(drawProfile(each), { traced: true });
        if (each === seed) hashes.push(`${trace.hash()} ${trace.lines.length}`);
      }
    }
    expect(hashes[0]).toBe(hashes[1]);
  });
});

// Many seeds one after the other, and what came of them.
import { withFaults } from './faults.ts';
import { drawProfile } from './profile.ts';
import { type Failure, runWorld } from './world.ts';

export interface Finding extends Failure {
  readonly seed: number;
}

export interface BatchResult {
  readonly seeds: number;
  readonly findings: readonly Finding[];
  readonly counters: Readonly<Record<string, number>>;
}

export interface Range {
  readonly from: number;
  readonly seeds: number;
  /** End at the first failure. */
  readonly first: boolean;
  /** Faults that every one of these worlds has, whatever it draws: to look for something on purpose. */
  readonly always: readonly string[];
}

/** Runs seeds `from` to `from` + `seeds` − 1; with `first`, only up to the first that fails. */
export async function runBatch({ from, seeds, first, always }: Range): Promise<BatchResult> {
  const findings: Finding[] = [];
  const counters: Record<string, number> = {};
  let done = 0;
  for (let seed = from; seed < from + seeds; seed += 1) {
    const profile = drawProfile(seed);
    const outcome = await runWorld({ ...profile, rates: withFaults(profile.rates, always) });
    done += 1;
    for (const [what, times] of outcome.counters) counters[what] = (counters[what] ?? 0) + times;
    if (outcome.failure === undefined) continue;
    findings.push({ seed, ...outcome.failure });
    if (first) break;
  }
  return { seeds: done, findings, counters };
}

export function joinResults(results: readonly BatchResult[]): BatchResult {
  const counters: Record<string, number> = {};
  for (const result of results) {
    for (const [what, times] of Object.entries(result.counters)) counters[what] = (counters[what] ?? 0) + times;
  }
  return {
    seeds: results.reduce((sum, { seeds }) => sum + seeds, 0),
    findings: results.flatMap(({ findings }) => findings).toSorted((a, b) => a.seed - b.seed),
    counters,
  };
}

// The rounds: everything changes, something is hurt and becomes whole again, and now and then all must be as it should.
import { appendFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pick, seededRandom } from '../support/seeded-random.ts';
import { workload } from '../support/workload.ts';
import { acts, beginsAtRest, isPossible } from './acts.ts';
import { createChance } from './chance.ts';
import { createDamage } from './damage.ts';
import type { CrashOptions } from './options.ts';
import type { Told } from './scene.ts';
import { createVerifier } from './verify.ts';
import { type CrashWorld, startCrashWorld } from './world.ts';

/** Longest backoff of a stream, twice, and a busy machine. */
const settleMs = 120_000;
/** Of an act, all its waits together. */
const actMs = 180_000;
const changesPerSecond = 20;
/** Every so many checkpoints all promises are looked at; at the others, whether the subscribers have what the servers have. */
const wholeEvery = 3;

export interface CrashResult {
  /** Undefined where every promise held. */
  readonly failure?: { readonly round: number; readonly what: string; readonly found: string };
  /** Where logs and the data folder were left; undefined where they were not. */
  readonly left?: string;
  /** The last lines of the report. */
  readonly summary: readonly string[];
}

/** `say` gets a line for each round. Rejects with the signal's reason where that aborts; all is cleaned up then too. */
export async function runCrash(
  options: CrashOptions,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<CrashResult> {
  const folder = await mkdtemp(join(tmpdir(), 'mk8s-crash-'));
  let keep = false;
  try {
    const random = seededRandom(options.seed);
    await using world = await startCrashWorld(options, folder, seededRandom(Math.floor(random() * 2 ** 31)));
    say(`${options.clusters} clusters on ${options.servers} servers, seed ${options.seed}; disk: ${world.disk.kind}`);
    const result = await rounds(options, world, random, say, signal);
    if (result.failure === undefined && !options.keep) return result;
    keep = true;
    // The disk goes away with the world.
    await cp(world.data, join(folder, 'data'), { recursive: true });
    return { ...result, left: folder };
  } finally {
    if (!keep) await rm(folder, { recursive: true, force: true });
  }
}

async function rounds(
  options: CrashOptions,
  world: CrashWorld,
  random: () => number,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<CrashResult> {
  const chance = createChance(random, signal);
  const damage = createDamage();
  const verifier = createVerifier(world);
  const deck = createDeck(options, world, random);
  const score = { made: 0, refused: 0, checkpoints: 0, ends: 0, recoveryMs: 0, slowest: '' };
  const startedAt = performance.now();
  let round = 0;
  let what = 'start';

  async function play(name: string): Promise<Told> {
    const loads = busyness(world, random);
    const scene = { world, chance, damage, busy: () => loads.start() };
    if (!beginsAtRest.has(name)) loads.start();
    try {
      const act = acts[name];
      if (act === undefined) throw new Error(`no act is called ${name}; there are ${Object.keys(acts).join(', ')}`);
      return await inTime(act(scene), signal);
    } finally {
      const { made, refused } = await inTime(loads.stop(), signal);
      score.made += made;
      score.refused += refused;
    }
  }

  async function checkpoint(told: Told): Promise<string> {
    const took = await inTime(world.settled(settleMs), signal);
    if (took > score.recoveryMs) Object.assign(score, { recoveryMs: took, slowest: `round ${round}: ${told.what}` });
    score.checkpoints += 1;
    const whole = told.restored !== undefined || round === options.rounds || score.checkpoints % wholeEvery === 0;
    const faults = whole ? await verifier.faults(told.restored) : [];
    if (faults.length > 0) throw new Error(faults.slice(0, 30).join('\n'));
    return `; settled in ${seconds(took)}${whole ? ', all promises hold' : ''}`;
  }

  try {
    await inTime(world.settled(settleMs), signal);
    for (round = 1; round <= options.rounds; round += 1) {
      const name = deck();
      what = name;
      const told = await play(name);
      what = told.what;
      const ends = [world.bridge, world.tail].flatMap((each) => each.takeEnds());
      score.ends += ends.length;
      for (const end of ends) appendFileSync(join(world.logs, 'ends.log'), `round ${round}: ${end}\n`);
      if (ends.length > 0 && told.mayEnd !== true) throw new Error(ends.join('\n'));
      const rests = told.restored !== undefined || round === options.rounds || chance.maybe();
      const outcome = rests ? await checkpoint(told) : '';
      say(`round ${round}: ${told.what}${ends.length > 0 ? ` (${ends.length} ended by themselves)` : ''}${outcome}`);
    }
  } catch (error) {
    signal.throwIfAborted();
    const found = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { failure: { round, what, found }, summary: summary() };
  }
  round = options.rounds;
  return { summary: summary() };

  function summary(): string[] {
    const { arrivals, webhook } = world;
    const [tail, hook] = [arrivals.result, webhook.arrivals.result];
    return [
      `rounds ${round} in ${seconds(performance.now() - startedAt)}, checkpoints ${score.checkpoints}`,
      `hurt: ${damage.text()}; ended by themselves ${score.ends}`,
      `changes ${score.made} (and ${score.refused} that a server did not take), recorded ${tail.ids.size}`,
      `duplicates: tail ${tail.redelivered} of ${tail.events}, webhook ${hook.redelivered} of ${hook.events}`,
      `longest recovery ${seconds(score.recoveryMs)} (${score.slowest})`,
    ];
  }
}

/** Each act once, in random order, then again. */
function createDeck(options: CrashOptions, { clusters }: CrashWorld, random: () => number): () => string {
  const names = options.acts.length > 0 ? options.acts : Object.keys(acts).filter((name) => isPossible(name, clusters));
  let left: string[] = [];
  return () => {
    if (left.length === 0) left = [...names];
    const name = pick(random, left);
    left.splice(left.indexOf(name), 1);
    return name;
  };
}

/** The workload of all clusters during a round. */
function busyness(world: CrashWorld, random: () => number) {
  const over = new AbortController();
  let running: ReturnType<ReturnType<typeof workload>['runUntil']>[] = [];
  const seeds = world.clusters.map(() => Math.floor(random() * 2 ** 31));
  return {
    start(): void {
      running = world.clusters.map(({ client }, index) =>
        workload(client, { seed: seeds[index] ?? 0, resources: world.resources }).runUntil(
          over.signal,
          changesPerSecond,
        ),
      );
    },
    async stop(): Promise<{ made: number; refused: number }> {
      over.abort();
      const counts = await Promise.all(running);
      const sum = (key: 'made' | 'refused'): number => counts.reduce((total, each) => total + each[key], 0);
      return { made: sum('made'), refused: sum('refused') };
    },
  };
}

async function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  // Who stops waiting for it is not interested in how it ends.
  work.catch(() => undefined);
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`It took longer than ${actMs / 1000} s`)), actMs);
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

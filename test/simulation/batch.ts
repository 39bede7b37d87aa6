// Many seeds one after the other, and what came of them.
import { withFaults } from './faults.ts';
import { drawProfile, type Profile, type StoreKind } from './profile.ts';
import { type Failure, runWorld } from './world.ts';

export interface Finding extends Failure {
  readonly seed: number;
}

export interface BatchResult {
  readonly seeds: number;
  readonly findings: readonly Finding[];
  readonly counters: Readonly<Record<string, number>>;
}

/** What all worlds have, whatever their seeds draw. */
export interface Forced {
  /** Faults: to look for something on purpose. */
  readonly always: readonly string[];
  readonly store?: StoreKind | undefined;
}

export interface Range extends Forced {
  readonly from: number;
  readonly seeds: number;
  /** End at the first failure. */
  readonly first: boolean;
}

export function profileOf(seed: number, { always, store }: Forced): Profile {
  const profile = drawProfile(seed, store);
  return { ...profile, rates: withFaults(profile.rates, always) };
}

/** Runs seeds `from` to `from` + `seeds` − 1; with `first`, only up to the first that fails. */
export async function runBatch({ from, seeds, first, ...forced }: Range): Promise<BatchResult> {
  const findings: Finding[] = [];
  const counters: Record<string, number> = {};
  let done = 0;
  for (let seed = from; seed < from + seeds; seed += 1) {
    const outcome = await runWorld(profileOf(seed, forced));
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

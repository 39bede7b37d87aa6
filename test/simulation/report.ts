// What a person reads of a run: findings, and how often each fault struck.
import type { BatchResult, Finding } from './batch.ts';
import { allFaults, faultNames } from './faults.ts';
import type { Profile } from './profile.ts';
import type { Outcome } from './world.ts';

/** Lines of a trace before the failure that are shown. */
const LAST_LINES = 60;

export function tellFinding({ seed, promise, message }: Finding): string {
  return `seed ${seed}: ${tellPromise(promise)}: ${message}`;
}

function tellPromise(promise: Finding['promise']): string {
  return promise === 'liveness' ? promise : `promise ${promise}`;
}

/** The smallest profile that fails so, and what happened last in it. */
export function tellShrunk(profile: Profile, { failure, trace }: Outcome): string {
  const { rates, settings, ...rest } = profile;
  const on = faultNames(rates).map(([name, rate]) => `${name} ${rate.toPrecision(2)}`);
  const lines = trace.lines.filter((line) => !line.includes(' says DEBUG'));
  return [
    `  minimised: ${tellPromise(failure?.promise ?? 'liveness')}: ${failure?.message}`,
    `  world: ${JSON.stringify(rest)}`,
    `  settings: ${JSON.stringify(settings)}`,
    `  faults: ${on.join(', ') || 'none'}`,
    ...lines.slice(-LAST_LINES).map((line) => `  ${line}`),
  ].join('\n');
}

/** Faults and how often they struck, in columns. */
export function tellFaults({ counters }: BatchResult): string {
  const cells = allFaults.map((name) => `${name.padEnd(32)}${String(counters[name] ?? 0).padStart(9)}`);
  const rows = Math.ceil(cells.length / 2);
  return Array.from({ length: rows }, (_, row) => [cells[row], cells[row + rows]].join('     ').trimEnd()).join('\n');
}

/** Faults that never struck. */
export function faultsNeverSeen({ counters }: BatchResult): readonly string[] {
  return allFaults.filter((name) => (counters[name] ?? 0) === 0);
}

// What goes on beside the streams: showing where they stand, and forgetting what is old.
import type { Problem } from '../model/cluster.ts';
import { messageOf } from '../model/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Report } from '../ports/reporter.ts';
import type { Retention, RetentionPolicy } from '../ports/retention.ts';
import type { StatusStore } from '../ports/status-store.ts';
import type { StatusBoard } from './status-board.ts';

/** `mk8s status` of another process is at most this old, milliseconds. */
const STATUS_EVERY_MS = 1_000;
/**
 * Retention walks over this many frames at a time, then rests, milliseconds. Changes that come one by one make a frame
 * each: it has to remove more frames a second than the busiest cluster makes of those, a thousand. A step over frames of
 * one change takes about 10 ms.
 */
const RETENTION_STEP = 64;
const RETENTION_REST_MS = { removing: 50, walking: 250, done: 30_000 };

interface Surroundings {
  readonly clock: Clock;
  readonly report: Report;
  /** Ends it; the functions below then return. */
  readonly signal: AbortSignal;
}

/** Keeps the store's copy of the board. */
export interface StatusKeeper {
  /** Writes it now. Never throws: a status that can't be written is reported, and loses nothing. */
  write(): Promise<void>;
  /** Writes it every second, and once more at the end. */
  run(): Promise<void>;
}

export function createStatusKeeper(
  store: StatusStore,
  board: StatusBoard,
  run: { readonly description: string; readonly startedAt: number; readonly problems: () => readonly Problem[] },
  { clock, report, signal }: Surroundings,
): StatusKeeper {
  let failing = false;

  async function write(): Promise<void> {
    const { description, startedAt, problems } = run;
    const now = clock.now();
    try {
      const row = { run: description, startedAt, updatedAt: now, running: !signal.aborted, problems: problems() };
      await store.write(row, board.snapshot(now));
      failing = false;
    } catch (error) {
      if (!failing)
        report({ severity: 'WARNING', message: `Cannot write the status: ${messageOf(error)}; trying again` });
      failing = true;
    }
  }

  return {
    write,
    async run() {
      while (await rests(clock, STATUS_EVERY_MS, signal)) await write();
      await write();
    },
  };
}

/** Applies a retention policy a little at a time. */
export async function keepRetention(
  store: Retention,
  policy: RetentionPolicy,
  { clock, report, signal }: Surroundings,
): Promise<void> {
  let rest = 0;
  let failing = false;
  while (await rests(clock, rest, signal)) {
    try {
      const { removed, done } = await store.retain(policy, RETENTION_STEP);
      rest = RETENTION_REST_MS[done ? 'done' : removed > 0 ? 'removing' : 'walking'];
      failing = false;
    } catch (error) {
      if (!failing)
        report({ severity: 'WARNING', message: `Cannot remove old revisions: ${messageOf(error)}; trying again` });
      failing = true;
      rest = RETENTION_REST_MS.done;
    }
  }
}

/** False once the signal aborts. */
async function rests(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, signal);
    return !signal.aborted;
  } catch (error) {
    if (!signal.aborted) throw error;
    return false;
  }
}

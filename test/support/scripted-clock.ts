// Time that passes only when nothing else can happen: the next timer is due once all work that is under way has settled.
// Hours of backoff run in milliseconds, and the order of things depends on no machine.
import type { Clock } from '../../lib/ports/clock.ts';

export interface ScriptedClock extends Clock {
  /** Moves on to the next timer and wakes its sleepers; false where there is none. */
  jump(): boolean;
  /** Sets the wall clock forward (or back, below 0) by so many milliseconds; timers do not mind. */
  set(by: number): void;
  /** Sleepers now. */
  readonly timers: number;
}

/** Starts at 2026-01-01T00:00:00Z. */
export function createScriptedClock(): ScriptedClock {
  let now = Date.UTC(2026, 0, 1);
  let set = 0;
  const sleepers = new Map<() => void, number>();
  return {
    now: () => now + set,
    set(by) {
      set += by;
    },
    jump() {
      if (sleepers.size === 0) return false;
      now = Math.max(now, Math.min(...sleepers.values()));
      for (const [wake, at] of sleepers) if (at <= now) wake();
      return true;
    },
    get timers() {
      return sleepers.size;
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const abort = (): void => {
          sleepers.delete(wake);
          reject(signal?.reason as Error);
        };
        const wake = (): void => {
          sleepers.delete(wake);
          signal?.removeEventListener('abort', abort);
          resolve();
        };
        sleepers.set(wake, now + ms);
        signal?.addEventListener('abort', abort, { once: true });
      }),
  };
}

/** A turn of the event loop: all that memory, fakes and promises can do has been done. */
export const idle = (): Promise<void> => new Promise(setImmediate);

/** The promise's outcome, with the clock moved on whenever nothing else happens. Fails after so many `turns`. */
export async function settle<T>(promise: Promise<T>, clock: ScriptedClock, turns = 2_000): Promise<T> {
  let done = false;
  const finish = (): void => {
    done = true;
  };
  promise.then(finish, finish);
  for (let turn = 0; turn < turns; turn += 1) {
    await idle();
    if (done) return await promise;
    clock.jump();
  }
  throw new Error(`still not settled after ${turns} turns`);
}

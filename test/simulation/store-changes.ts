// How simulated processes hear that another one has recorded something: a moment later.
import type { ChangeSignal } from '../../lib/adapters/disk/change-signal.ts';
import type { Scheduler, TimerOwner } from './scheduler.ts';

/** A file system tells other processes within this, milliseconds. */
const TOLD_AFTER_MS = 15;

export interface SimChanges {
  /** The signal of one process. */
  of(owner: TimerOwner | undefined): ChangeSignal;
}

export function createSimChanges(scheduler: Scheduler): SimChanges {
  const waiting = new Set<() => void>();
  let telling = false;

  function tellAll(): void {
    if (telling) return;
    telling = true;
    scheduler.after(TOLD_AFTER_MS, () => {
      telling = false;
      for (const look of Array.from(waiting)) look();
    });
  }

  function signalOf(owner: TimerOwner | undefined): ChangeSignal {
    const closed = new AbortController();
    return {
      notify: tellAll,
      until: (happened, signal) =>
        new Promise((resolve, reject) => {
          const until = AbortSignal.any([signal, closed.signal]);
          until.throwIfAborted();
          const settle = (action: () => void): void => {
            waiting.delete(look);
            until.removeEventListener('abort', abort);
            action();
          };
          const abort = (): void => settle(() => reject(until.reason as Error));
          const look = (): void => {
            if (owner?.alive === false) return void waiting.delete(look);
            try {
              if (happened()) settle(resolve);
            } catch (error) {
              settle(() => reject(error));
            }
          };
          waiting.add(look);
          until.addEventListener('abort', abort, { once: true });
          look();
        }),
      close: () => closed.abort(new Error('the folder is closed')),
    };
  }
  return { of: signalOf };
}

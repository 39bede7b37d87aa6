// Wakes those who wait for new revisions: at once when this process records, within milliseconds when another does.
import { type FSWatcher, watch } from 'node:fs';
import { Mk8sError } from '../../model/errors.ts';
import type { Clock } from '../../ports/clock.ts';

export interface ChangeSignal {
  /** Something may have changed. */
  notify(): void;
  /** Resolves once `happened` is true; asks again whenever something may have changed. Rejects when the signal aborts. */
  until(happened: () => boolean, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** How late a change of another process is seen where the file system tells nothing (network file systems). */
const pollMs = 200;

/** Watches the files of `folder` while someone waits. */
export function createChangeSignal(folder: string, clock: Clock): ChangeSignal {
  const waiting = new Set<() => void>();
  const closed = new AbortController();
  let watcher: FSWatcher | undefined;
  let polling = false;

  const notify = () => {
    for (const look of waiting) look();
  };
  const poll = async () => {
    polling = true;
    try {
      while (waiting.size > 0 && !closed.signal.aborted) {
        await clock.sleep(pollMs, closed.signal);
        notify();
      }
    } catch (error) {
      if (!closed.signal.aborted) throw error;
    } finally {
      polling = false;
    }
  };
  const listen = () => {
    watcher ??= watchFolder(folder, notify);
    if (!polling) void poll();
  };

  return {
    notify,
    until: (happened, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        closed.signal.throwIfAborted();
        const settle = (action: () => void) => {
          waiting.delete(look);
          signal.removeEventListener('abort', abort);
          closed.signal.removeEventListener('abort', end);
          action();
        };
        const abort = () => settle(() => reject(signal.reason as Error));
        const end = () => settle(() => reject(closed.signal.reason as Error));
        const look = () => {
          try {
            if (happened()) settle(resolve);
          } catch (error) {
            settle(() => reject(error));
          }
        };
        waiting.add(look);
        signal.addEventListener('abort', abort, { once: true });
        closed.signal.addEventListener('abort', end, { once: true });
        listen();
        look();
      }),
    close() {
      watcher?.close();
      closed.abort(
        new Mk8sError(`Cannot wait for changes in data folder "${folder}": it is closed`, { code: 'storage' }),
      );
    },
  };
}

/** The folder, not the WAL file: that one is deleted and made anew. Without a watch (none left, not supported) polling remains. */
function watchFolder(folder: string, notify: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, notify);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

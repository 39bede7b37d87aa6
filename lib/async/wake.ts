// A signal that something changed, which is not lost when nobody waits yet.

export interface Wake {
  /** Something changed. Many calls before a wait count once. */
  notify(): void;
  /** Resolves at the next notify, at once where there was one since the last wait. Rejects when the signal aborts. */
  wait(signal: AbortSignal): Promise<void>;
}

export function createWake(): Wake {
  let pending = false;
  let waiter: (() => void) | undefined;

  function notify(): void {
    pending = true;
    waiter?.();
  }

  async function wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!pending) {
      await new Promise<void>((resolve, reject) => {
        const abort = (): void => reject(signal.reason as Error);
        signal.addEventListener('abort', abort, { once: true });
        waiter = () => {
          signal.removeEventListener('abort', abort);
          resolve();
        };
      }).finally(() => {
        waiter = undefined;
      });
    }
    pending = false;
  }
  return { notify, wait };
}

// Real time. Only compose and tests of real processes use it; everything else is handed a Clock.

/** A timer of Node is at most 2^31 − 1 ms (24.8 days); one that is set to more ends after a millisecond. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock = {
  now: (): number => Date.now(),

  // Not the one of node:timers/promises: it makes an AbortError with a stack for each sleep that is cut short, as the
  // deadline of every request and every batch is; that was a thirtieth of a bridge's time.
  sleep: (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error);
      let left = Math.max(0, ms);
      let timer: NodeJS.Timeout | undefined;
      let immediate: NodeJS.Immediate | undefined;
      const abort = (): void => {
        clearTimeout(timer);
        clearImmediate(immediate);
        reject(signal?.reason as Error);
      };
      const start = (): void => {
        // Node's shortest timer is a millisecond: none at all is once around the event loop.
        if (left === 0) immediate = setImmediate(next);
        else timer = setTimeout(next, Math.min(left, LONGEST_TIMER_MS));
      };
      const next = (): void => {
        left -= LONGEST_TIMER_MS;
        if (left > 0) return start();
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      signal?.addEventListener('abort', abort, { once: true });
      start();
    }),
};

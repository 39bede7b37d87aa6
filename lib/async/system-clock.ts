// Real time. Only compose and tests of real processes use it; everything else is handed a Clock.
import { setTimeout as delay } from 'node:timers/promises';

/** A timer of Node is at most 2^31 − 1 ms (24.8 days); one that is set to more ends after a millisecond. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock = {
  now: (): number => Date.now(),

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    try {
      let left = Math.max(0, ms);
      do {
        await delay(Math.min(left, LONGEST_TIMER_MS), undefined, signal === undefined ? {} : { signal });
        left -= LONGEST_TIMER_MS;
      } while (left > 0);
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : error;
    }
  },
};

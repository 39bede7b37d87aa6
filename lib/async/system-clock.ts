// Real time. Only compose and tests of real processes use it; everything else is handed a Clock.
import { setTimeout as delay } from 'node:timers/promises';

export const systemClock = {
  now: (): number => Date.now(),
  sleep: (ms: number, signal?: AbortSignal): Promise<void> =>
    delay(ms, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
      throw signal?.aborted === true ? signal.reason : error;
    }),
};

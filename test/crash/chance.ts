// What an act needs of luck and time.
import { setTimeout as delay } from 'node:timers/promises';
import { pick } from '../support/seeded-random.ts';

export interface Chance {
  /** True so often; default in half of the cases. */
  maybe(probability?: number): boolean;
  between(from: number, to: number): number;
  pick<T>(items: readonly T[]): T;
  /** Waits so many milliseconds, drawn from the range. Rejects where the whole run is ended. */
  pause(from: number, to: number): Promise<void>;
  /** Waits without drawing: what is waited for takes another number of turns each time, and luck has to stay the seed's. */
  rest(ms: number): Promise<void>;
}

export function createChance(random: () => number, signal: AbortSignal): Chance {
  const between = (from: number, to: number): number => from + random() * (to - from);
  return {
    maybe: (probability = 0.5) => random() < probability,
    between,
    pick: (items) => pick(random, items),
    pause: (from, to) => delay(between(from, to), undefined, { signal }),
    rest: (ms) => delay(ms, undefined, { signal }),
  };
}

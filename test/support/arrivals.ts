// What a subscriber has received so far, and the wait until that is what the servers have.
import { compareStates, type FeedEvent, type Materialised, materialiser, type State } from './materialise.ts';

export interface Arrivals {
  take(event: FeedEvent): void;
  readonly result: Materialised;
  /** Resolves when the received changes lead to exactly this state; rejects with the differences after `timeoutMs`. */
  reach(expected: State, timeoutMs?: number): Promise<void>;
  /** Resolves when nothing differs any more from what `what` says; as `reach` otherwise. */
  until(what: string, differences: () => readonly string[], timeoutMs?: number): Promise<void>;
  /** Resolves when `count` more events have come. */
  more(count: number): Promise<void>;
}

/** Waits look again at every event, so nothing is polled. `who` names the subscriber in errors. */
export function createArrivals(who: string): Arrivals {
  const { add, result } = materialiser();
  const looks = new Set<() => void>();
  let scheduled = false;

  function look(): void {
    scheduled = false;
    for (const each of looks) each();
  }

  async function until(what: string, differences: () => readonly string[], timeoutMs = 45_000): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let found: readonly string[] = [];
    const check = (): void => {
      found = differences();
      if (found.length === 0) resolve();
    };
    const timer = setTimeout(() => {
      const told = found.slice(0, 20).join('\n');
      reject(new Error(`${who} is not ${what} after ${timeoutMs} ms and ${result.events} events:\n${told}`));
    }, timeoutMs);
    looks.add(check);
    check();
    try {
      await promise;
    } finally {
      looks.delete(check);
      clearTimeout(timer);
    }
  }

  async function more(count: number): Promise<void> {
    const goal = result.events + count;
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = (): void => {
      if (result.events >= goal) resolve();
    };
    looks.add(check);
    check();
    await promise.finally(() => looks.delete(check));
  }

  return {
    take(event) {
      add(event);
      // Many events of one turn are looked at once.
      if (!scheduled) setImmediate(look);
      scheduled = true;
    },
    result,
    reach: (expected, timeoutMs) =>
      until('where the servers are', () => compareStates(result.state, expected), timeoutMs),
    until,
    more,
  };
}

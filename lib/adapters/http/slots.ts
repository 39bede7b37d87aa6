// A limit on how many requests one sink has open, shared by all streams that publish to it.

export interface Slots {
  /** Runs `work` when a slot is free, first come first served. Rejects with the signal's reason if it aborts before. */
  use<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}

export function slots(count: number): Slots {
  let free = count;
  const waiting = new Set<() => void>();

  async function take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (free > 0) {
      free -= 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => {
      waiting.delete(resolve);
      reject(signal.reason);
    };
    waiting.add(resolve);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Hands the slot to the longest waiting taker, else keeps it. */
  function giveBack(): void {
    const [next] = waiting;
    if (next === undefined) {
      free += 1;
      return;
    }
    waiting.delete(next);
    next();
  }

  return {
    async use(signal, work) {
      await take(signal);
      try {
        signal.throwIfAborted();
        return await work();
      } finally {
        giveBack();
      }
    },
  };
}

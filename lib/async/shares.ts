// At most so many at once, of several parties: the first place of each is its own, so that none waits for the others
// (promise 8); further ones are shared, first come first served.

export interface Shares {
  /** Waits for a place and returns the function that gives it back (safe to call twice). */
  acquire(party: string, signal: AbortSignal): Promise<() => void>;
}

/** `places` are shared; there are as many more as there are parties. */
export function createShares(places: number): Shares {
  let free = places;
  /** Parties whose own place is taken. */
  const served = new Set<string>();
  let waiting: { readonly party: string; readonly enter: (leave: () => void) => void }[] = [];

  /** A place for a party, if there is one now. */
  function take(party: string): (() => void) | undefined {
    if (!served.has(party)) {
      served.add(party);
      return once(() => served.delete(party));
    }
    if (free === 0) return undefined;
    free -= 1;
    return once(() => (free += 1));
  }

  function once(giveBack: () => void): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      giveBack();
      admit();
    };
  }

  function admit(): void {
    const still: typeof waiting = [];
    for (const each of waiting) {
      const place = take(each.party);
      if (place === undefined) still.push(each);
      else each.enter(place);
    }
    waiting = still;
  }

  async function acquire(party: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const place = take(party);
    if (place !== undefined) return place;
    return await new Promise((resolve, reject) => {
      const entry = {
        party,
        enter(leave: () => void): void {
          signal.removeEventListener('abort', giveUp);
          resolve(leave);
        },
      };
      const giveUp = (): void => {
        waiting = waiting.filter((other) => other !== entry);
        reject(signal.reason as Error);
      };
      waiting.push(entry);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }
  return { acquire };
}

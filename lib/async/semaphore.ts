// At most so many at once, first come first served.

export interface Semaphore {
  /** Waits for a place and returns the function that gives it back (safe to call twice). */
  acquire(signal: AbortSignal): Promise<() => void>;
}

export function createSemaphore(places: number): Semaphore {
  let free = places;
  const waiting: (() => void)[] = [];

  function place(): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    };
  }

  async function acquire(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (free > 0) {
      free -= 1;
      return place();
    }
    return await new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        resolve(place());
      };
      const leave = (): void => {
        waiting.splice(waiting.indexOf(enter), 1);
        reject(signal.reason as Error);
      };
      waiting.push(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
  return { acquire };
}

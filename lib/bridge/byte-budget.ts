// Bytes in flight, shared by all streams (promise 7).

export interface ByteBudget {
  /** Takes bytes if they fit; false where they don't. */
  tryTake(bytes: number): boolean;
  giveBack(bytes: number): void;
  readonly taken: number;
  readonly limit: number;
}

export function createByteBudget(limit: number): ByteBudget {
  let taken = 0;
  return {
    limit,
    tryTake(bytes) {
      if (taken + bytes > limit) return false;
      taken += bytes;
      return true;
    },
    giveBack(bytes) {
      taken -= bytes;
    },
    get taken() {
      return taken;
    },
  };
}

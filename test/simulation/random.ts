// Where all chance of a simulation comes from: one seed. Forks are independent of each other and of how much was drawn
// before, so that switching one fault off while a failure is minimised leaves everything else as it was.

export interface Dice {
  /** Uniform in [0, 1). */
  readonly next: () => number;
  /** True with probability `p`. Draws one number, also where `p` is 0 or 1. */
  chance(p: number): boolean;
  /** A whole number in [0, below). */
  int(below: number): number;
  /** An item of a list that is not empty. */
  pick<T>(of: readonly T[]): T;
  /** Dice of their own. The same name gives the same dice again, whatever was drawn meanwhile. */
  fork(name: string): Dice;
}

/** The same numbers for the same seed (a whole number, 0 to 2^53 − 1): mulberry32, public domain. */
export function createDice(seed: number): Dice {
  return diceOf(mix(mix(0x9e3779b9, seed >>> 0), Math.floor(seed / 2 ** 32)));
}

function diceOf(origin: number): Dice {
  let state = origin;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const dice: Dice = {
    next,
    chance: (p) => next() < p,
    int: (below) => Math.floor(next() * below),
    pick(of) {
      if (of.length === 0) throw new Error('nothing to pick from');
      return of[dice.int(of.length)] as (typeof of)[number];
    },
    fork: (name) => diceOf(hash(origin, name)),
  };
  return dice;
}

/** FNV-1a over the name, begun at `from` and finished with a mix, so that near names lead far apart. */
function hash(from: number, name: string): number {
  let value = from ^ 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) value = Math.imul(value ^ name.charCodeAt(i), 0x01000193);
  return mix(value >>> 0, name.length);
}

function mix(a: number, b: number): number {
  let value = Math.imul(a ^ (a >>> 16), 0x21f0aaad) ^ Math.imul(b ^ (b >>> 15), 0x735a2d97);
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  return (value ^ (value >>> 16)) >>> 0;
}

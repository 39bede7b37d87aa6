// Bearer tokens of a cluster. An old one is refused once they were rotated; a fresh one has to be asked for.
import type { Dice } from '../random.ts';

export interface SimCredentials {
  /** What a client gets that asks for a fresh one. */
  readonly current: string;
  accepts(token: string): boolean;
  /** Every token ever given out: none of them may turn up anywhere. */
  readonly planted: ReadonlySet<string>;
  /** The next token counts from `at` on, milliseconds since 1970. */
  rotate(at: number): void;
}

export function createCredentials(dice: Dice, now: () => number): SimCredentials {
  const planted = new Set<string>();
  let current = '';
  let from = 0;
  function rotate(at: number): void {
    from = at;
    const part = (): string => dice.int(2 ** 31).toString(36);
    // In the form of a service account's token: a JWT.
    current = `eyJhbGciOiJSUzI1NiJ9.PLANTED-TOKEN-${part()}${part()}.${part()}`;
    planted.add(current);
  }
  rotate(0);
  return {
    get current() {
      return current;
    },
    accepts: (token) => token === current && now() >= from,
    planted,
    rotate,
  };
}

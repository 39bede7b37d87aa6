// Bearer tokens of a cluster. An old one is refused once they were rotated; a fresh one has to be asked for.
import type { Dice } from '../random.ts';

export interface SimCredentials {
  /** What a client gets that asks for a fresh one. */
  readonly current: string;
  accepts(token: string): boolean;
  /** Every token ever given out: none of them may turn up anywhere. */
  readonly planted: ReadonlySet<string>;
  rotate(): void;
}

export function createCredentials(dice: Dice): SimCredentials {
  const planted = new Set<string>();
  let current = '';
  function rotate(): void {
    const part = (): string => dice.int(2 ** 31).toString(36);
    // In the form of a service account's token: a JWT.
    current = `eyJhbGciOiJSUzI1NiJ9.PLANTED-TOKEN-${part()}${part()}.${part()}`;
    planted.add(current);
  }
  rotate();
  return {
    get current() {
      return current;
    },
    accepts: (token) => token === current,
    planted,
    rotate,
  };
}

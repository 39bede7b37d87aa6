// What is fuzzed: one reader of bytes from outside, and what must hold for any bytes.
import type { Random } from './mutate.ts';

export interface FuzzTarget {
  /** Also the name of its corpus' folder. */
  readonly name: string;
  /** Cases of a short run, chosen so that no target takes much more than ten seconds of processor time. */
  readonly cases: number;
  /** Pieces of its language, which a change of single bytes would hardly hit upon. */
  readonly words: readonly string[];
  /** True where changed bytes are no input at all: a script, of which another one is drawn. Default false. */
  readonly asGenerated?: boolean;
  /** Input that is close to what the reader is made for; it is changed afterwards, or not. */
  generate(random: Random): Uint8Array;
  /**
   * Gives the input to the reader and compares with the truth. Throws where a rule is broken. Returns what became of the
   * input in a word (`read`, `refused`), which is counted: a fuzzer whose input is all refused tests little.
   * The input alone decides: what else is a choice (how it is cut, say) is drawn from `randomOf(input)`.
   */
  check(input: Buffer): string | Promise<string>;
  /** Frees what the checks share. */
  close?(): void | Promise<void>;
}

/** A rule that a reader broke. */
class Broken extends Error {
  constructor(rule: string) {
    super(rule);
    this.name = 'Broken';
  }
}

/** Throws Broken unless it holds. */
export function must(holds: boolean, rule: string): asserts holds {
  if (!holds) throw new Broken(rule);
}

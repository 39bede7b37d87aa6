// Runs one target: its corpus first, then case after case, each from a seed of its own.
import { seededRandom } from '../support/seeded-random.ts';
import { readCorpus } from './corpus.ts';
import { below, mutate, type Random } from './mutate.ts';
import { shrink } from './shrink.ts';
import type { FuzzTarget } from './target.ts';

export interface FuzzRun {
  readonly seed: number;
  /** Ends after so many generated cases … */
  readonly cases: number;
  /** … or when this says so. */
  readonly isOver: () => boolean;
  /** Told of every input before it is checked. */
  readonly onInput: (input: Uint8Array) => void;
}

export interface FuzzResult {
  /** Generated cases; those of the corpus are not among them. */
  readonly cases: number;
  readonly corpus: number;
  /** How many inputs became what. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly failure?: FuzzFailure;
}

interface FuzzFailure {
  /** `corpus entry NAME`, or `case N`. */
  readonly where: string;
  /** Shrunk, but for entries of the corpus. */
  readonly input: Uint8Array;
  readonly error: string;
}

export async function fuzzTarget(target: FuzzTarget, run: FuzzRun): Promise<FuzzResult> {
  const corpus = readCorpus(target.name);
  const outcomes: Record<string, number> = {};
  let cases = 0;

  const failureOf = async (input: Buffer): Promise<unknown> => {
    run.onInput(input);
    try {
      // A copy: a reader that writes into its input must not change what is reported.
      const outcome = await target.check(Buffer.from(input));
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      return undefined;
    } catch (error) {
      return error ?? new Error('nothing was thrown, as a value');
    }
  };
  const result = (failure?: FuzzFailure): FuzzResult => ({
    cases,
    corpus: corpus.length,
    outcomes: { ...outcomes },
    ...(failure === undefined ? {} : { failure }),
  });

  try {
    for (const { name, bytes } of corpus) {
      const error = await failureOf(bytes);
      if (error !== undefined) return result({ where: `corpus entry ${name}`, input: bytes, error: describe(error) });
    }
    const known = corpus.map(({ bytes }) => bytes);
    for (; cases < run.cases && !run.isOver(); cases++) {
      const input = makeInput(seededRandom(run.seed + cases * 0x9e3779b1), target, known);
      const error = await failureOf(input);
      if (error === undefined) continue;
      const kind = kindOf(error);
      const smallest = await shrink(input, async (candidate) => kindOf(await failureOf(candidate)) === kind);
      const last = (await failureOf(smallest)) ?? error;
      return result({ where: `case ${cases}`, input: smallest, error: describe(last) });
    }
    return result();
  } finally {
    await target.close?.();
  }
}

function makeInput(random: Random, target: FuzzTarget, known: readonly Uint8Array[]): Buffer {
  if (target.asGenerated === true) return Buffer.from(target.generate(random));
  const way = random();
  const base = known.length > 0 && way < 0.2 ? (known[below(random, known.length)] ?? []) : target.generate(random);
  return way < 0.5 ? mutate(random, Buffer.from(base), target.words, known) : Buffer.from(base);
}

/** So that shrinking does not slide from one fault to another: the message without what differs from input to input. */
function kindOf(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  const text = error instanceof Error ? `${error.name}: ${error.message}` : 'something else';
  return text.replaceAll(/"[^"]*"|\d+/g, '').slice(0, 60);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : 'something was thrown that is no Error';
}

// Changes bytes as damage does, and as an attacker would.
import { crc32 } from 'node:zlib';
import { pick, seededRandom } from '../support/seeded-random.ts';

/** Uniform in [0, 1). */
export type Random = () => number;

/** Up to this much; longer inputs are slow and find nothing more. Targets that are about size make their own. */
const LONGEST = 1024 * 1024;

/** Chance that belongs to an input: the same for the same bytes. */
export function randomOf(input: Uint8Array): Random {
  return seededRandom(crc32(input));
}

/** A whole number from 0 to `limit - 1`. */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** A few changes of a random kind, at random places. `others` are inputs to take parts from. */
export function mutate(
  random: Random,
  input: Uint8Array,
  words: readonly string[],
  others: readonly Uint8Array[],
): Buffer {
  let bytes: Buffer = Buffer.from(input);
  const times = 1 + below(random, random() < 0.3 ? 8 : 2);
  for (let n = 0; n < times; n++) bytes = change(random, bytes, words, others);
  return bytes.subarray(0, LONGEST);
}

function change(random: Random, bytes: Buffer, words: readonly string[], others: readonly Uint8Array[]): Buffer {
  const at = below(random, bytes.length + 1);
  const to = Math.min(bytes.length, at + 1 + below(random, random() < 0.5 ? 4 : Math.max(1, bytes.length / 4)));
  switch (below(random, 10)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return splice(bytes, at, to, Buffer.alloc(0));
    case 2:
      return splice(bytes, at, at, bytes.subarray(at, to));
    case 3:
      return splice(bytes, at, to, Buffer.alloc(to - at));
    case 4:
      return overwrite(random, bytes, at);
    case 5:
      return splice(bytes, at, at, Buffer.from([below(random, 256)]));
    case 6:
      return splice(bytes, at, random() < 0.5 ? at : to, Buffer.from(pick(random, [...words, '\0'])));
    case 7:
      return splice(bytes, at, to, Buffer.from(pick(random, INTERESTING)));
    case 8: {
      const other = others.length === 0 ? bytes : pick(random, others);
      const from = below(random, other.length + 1);
      return splice(bytes, at, to, Buffer.from(other.subarray(from, from + below(random, 200))));
    }
    default: {
      // Moves a piece.
      const piece = Buffer.from(bytes.subarray(at, to));
      const rest = splice(bytes, at, to, Buffer.alloc(0));
      const place = below(random, rest.length + 1);
      return splice(rest, place, place, piece);
    }
  }
}

function splice(bytes: Buffer, from: number, to: number, insert: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(to)]);
}

function overwrite(random: Random, bytes: Buffer, at: number): Buffer {
  if (bytes.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  const place = Math.min(at, copy.length - 1);
  copy[place] = random() < 0.7 ? (copy[place] as number) ^ (1 << below(random, 8)) : below(random, 256);
  return copy;
}

/** Numbers at the edge of what fits, text that is hard on encodings, bytes that are no UTF-8. */
const INTERESTING: readonly (string | readonly number[])[] = [
  '-1',
  '0',
  '9007199254740993',
  '1e309',
  '99999999999999999999999999',
  '\u2028',
  '\ufeff',
  '🦄',
  '\\u0000',
  '__proto__',
  'constructor',
  'x'.repeat(300),
  [0xff],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xf0, 0x9f, 0xa6],
  [0xe2, 0x80],
];

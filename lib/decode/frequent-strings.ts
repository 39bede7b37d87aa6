// Strings that a stream repeats (kinds, namespaces, managers) are made once: comparing bytes is several times cheaper
// than making a string, and what is kept of many objects shares them.
import { readString } from './json-bytes.ts';

/** A power of two; a string that falls on another's place takes it. */
const PLACES = 256;

/** Names in Kubernetes end at 63 or 253 characters; longer ones are hardly repeated. */
const MAX_LENGTH = 64;

export class FrequentStrings {
  private readonly kept: string[] = Array.from({ length: PLACES }, () => '');

  /** The string whose opening quote is at `from` and whose closing quote is at `to - 1`. */
  read(bytes: Buffer, from: number, to: number): string {
    const length = to - from - 2;
    if (length < 1 || length > MAX_LENGTH) return readString(bytes, from, to);
    const first = from + 1;
    const hash =
      length * 31 +
      (bytes[first] as number) * 7 +
      (bytes[to - 2] as number) * 17 +
      (bytes[first + (length >> 1)] as number);
    const place = hash & (PLACES - 1);
    const known = this.kept[place] as string;
    if (known.length === length && sameBytes(bytes, first, known)) return known;
    const text = readString(bytes, from, to);
    // Of the same length, so without escapes and all ASCII: its characters are its bytes.
    if (text.length === length) this.kept[place] = text;
    return text;
  }
}

function sameBytes(bytes: Buffer, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

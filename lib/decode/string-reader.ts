// Makes strings of bytes. Those that a stream repeats (kinds, namespaces, managers) are made once: comparing bytes is
// cheaper than making a string, and what is kept of many objects shares them.
import { BACKSLASH, parseString, QUOTE, skipString } from './json-bytes.ts';
import { protocolError } from './protocol-error.ts';

/** A power of two; a string that falls on another's place takes it. */
const PLACES = 256;

/** Names in Kubernetes end at 63 or 253 characters; longer ones are hardly repeated. */
const MAX_LENGTH = 64;

export class StringReader {
  /** Position after the string that was read last. */
  end = 0;
  private readonly kept: string[] = Array.from({ length: PLACES }, () => '');

  /** Reads the string that begins at `at`. Throws Mk8sError `protocol` where none does, or it does not end. */
  read(bytes: Buffer, at: number, limit: number): string {
    const others = this.findEnd(bytes, at, limit);
    if (others < 0) return parseString(bytes, at, this.end);
    return bytes.toString(others < 0x80 ? 'latin1' : 'utf8', at + 1, this.end - 1);
  }

  /** The same for a string that is likely to have been read before. */
  readFrequent(bytes: Buffer, at: number, limit: number): string {
    const others = this.findEnd(bytes, at, limit);
    if (others < 0) return parseString(bytes, at, this.end);
    if (others >= 0x80) return bytes.toString('utf8', at + 1, this.end - 1);
    return this.frequent(bytes, at + 1, this.end - 1);
  }

  /** The string of the ASCII bytes between `from` and `to`, which is likely to have been made before. */
  frequent(bytes: Buffer, from: number, to: number): string {
    const length = to - from;
    if (length === 0 || length > MAX_LENGTH) return bytes.toString('latin1', from, to);
    const ends = (bytes[from] as number) * 7 + (bytes[to - 1] as number) * 17;
    const hash = length * 31 + ends + (bytes[from + (length >> 1)] as number);
    const place = hash & (PLACES - 1);
    const known = this.kept[place] as string;
    if (known.length === length && sameBytes(bytes, from, known)) return known;
    const text = bytes.toString('latin1', from, to);
    this.kept[place] = text;
    return text;
  }

  /** Sets `end`. Returns all bytes of the string or-ed together, so that one beyond ASCII shows; -1 where it has escapes. */
  private findEnd(bytes: Buffer, at: number, limit: number): number {
    if (bytes[at] !== QUOTE) throw protocolError(`There is no string at byte ${at}.`);
    let others = 0;
    for (let i = at + 1; i < limit; i++) {
      const byte = bytes[i] as number;
      if (byte === QUOTE) {
        this.end = i + 1;
        return others;
      }
      if (byte === BACKSLASH) break;
      others |= byte;
    }
    this.end = skipString(bytes, at, limit);
    return -1;
  }
}

/** For text that is all ASCII. */
function sameBytes(bytes: Buffer, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

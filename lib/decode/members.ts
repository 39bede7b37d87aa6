// Steps through the members of one JSON object in UTF-8 bytes, without building anything. White space and escaped keys
// are allowed everywhere; the caller says where each value ended.
import {
  BACKSLASH,
  CLOSE_BRACE,
  COMMA,
  OPEN_BRACE,
  parseString,
  QUOTE,
  skipColon,
  skipSpace,
  skipValue,
} from './json-bytes.ts';
import { protocolError } from './protocol-error.ts';

/**
 * Use: `while (members.next()) { if (members.keyIs('name')) … members.skipValue() }`, then `members.end`.
 * Throws Mk8sError `protocol` where the bytes are not an object.
 */
export class Members {
  /** Opening quote of the current key. */
  key = 0;
  /** First byte of the current value. */
  value = 0;
  /** Set by the caller, or by `skipValue`: the position after the current value. After the last member: after the `}`. */
  end: number;
  private keyEnd = 0;
  private escaped = false;
  private first = true;
  private readonly bytes: Buffer;
  private readonly limit: number;

  /** `at` is the opening brace; nothing at or after `limit` is read. */
  constructor(bytes: Buffer, at: number, limit: number) {
    if (at >= limit || bytes[at] !== OPEN_BRACE) throw protocolError(`There is no object at byte ${at}.`);
    this.bytes = bytes;
    this.limit = limit;
    this.end = at + 1;
  }

  /** Moves to the next member; false after the last. */
  next(): boolean {
    const { bytes, limit } = this;
    let i = skipSpace(bytes, this.end, limit);
    if (i < limit && bytes[i] === CLOSE_BRACE) {
      this.end = i + 1;
      return false;
    }
    if (this.first) this.first = false;
    else {
      if (i >= limit || bytes[i] !== COMMA) throw protocolError(`An object is not continued or closed at byte ${i}.`);
      i = skipSpace(bytes, i + 1, limit);
    }
    if (i >= limit || bytes[i] !== QUOTE) throw protocolError(`An object has no key at byte ${i}.`);
    this.key = i;
    this.escaped = false;
    for (i++; i < limit; i++) {
      const byte = bytes[i];
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) {
        this.escaped = true;
        i++;
      }
    }
    this.keyEnd = i + 1;
    this.value = skipColon(bytes, i + 1, limit);
    return true;
  }

  keyIs(text: string): boolean {
    if (this.escaped) return parseString(this.bytes, this.key, this.keyEnd) === text;
    const from = this.key + 1;
    if (this.keyEnd - from - 1 !== text.length) return false;
    for (let i = 0; i < text.length; i++) if (this.bytes[from + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  skipValue(): void {
    this.end = skipValue(this.bytes, this.value, this.limit);
  }
}

// Walks JSON in UTF-8 bytes without building values: how long a value is, where a string ends. It trusts its input to
// be JSON (a server's encoder wrote it) as far as it skips, never reads past `end`, and throws Mk8sError `protocol`
// where it cannot go on. All positions are indices into `bytes`.
import { protocolError } from './protocol-error.ts';

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_BRACKET = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;

/** Up to this length a loop finds the end of a string sooner than a call of memchr does (measured on Node 24). */
const SHORT_STRING = 48;

/** The same bytes as a Buffer, whose search and slicing are native. Copies nothing. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The first position from `at` on that is not JSON whitespace; `end` if there is none. */
export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && isSpace(bytes[i] as number)) i++;
  return i;
}

export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** `at` is an opening quote; returns the position after the closing one. */
export function skipString(bytes: Buffer, at: number, end: number): number {
  let i = at + 1;
  for (;;) {
    const near = Math.min(end, i + SHORT_STRING);
    for (; i < near; i++) {
      const byte = bytes[i];
      if (byte === QUOTE) return i + 1;
      if (byte === BACKSLASH) i++;
    }
    if (i >= end) break;
    const quote = bytes.indexOf(QUOTE, i);
    if (quote < 0 || quote >= end) break;
    let slashes = 0;
    while (quote - slashes > i && bytes[quote - slashes - 1] === BACKSLASH) slashes++;
    i = quote + 1;
    if (slashes % 2 === 0) return i;
  }
  throw protocolError(`A string that begins at byte ${at} does not end.`);
}

/** `at` is the first byte of a value; returns the position after its last. */
export function skipValue(bytes: Buffer, at: number, end: number): number {
  const first = bytes[at];
  if (first === QUOTE) return skipString(bytes, at, end);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipNested(bytes, at, end);
  let i = at;
  for (; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isSpace(byte)) break;
  }
  if (i === at) throw protocolError(`There is no value at byte ${at}.`);
  return i;
}

function skipNested(bytes: Buffer, at: number, end: number): number {
  let depth = 0;
  for (let i = at; i < end; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) i = skipString(bytes, i, end) - 1;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) return i + 1;
  }
  throw protocolError(`An object or array that begins at byte ${at} does not end.`);
}

/** `at` is after a key; returns the position of its value. */
export function skipColon(bytes: Uint8Array, at: number, end: number): number {
  const colon = bytes[at] === COLON ? at : skipSpace(bytes, at, end);
  if (colon >= end || bytes[colon] !== COLON) throw protocolError(`A key has no value at byte ${at}.`);
  return skipSpace(bytes, colon + 1, end);
}

/** The string whose opening quote is at `from` and whose closing quote is at `to - 1`, whatever escapes it has. */
export function parseString(bytes: Buffer, from: number, to: number): string {
  try {
    return JSON.parse(bytes.toString('utf8', from, to)) as string;
  } catch (error) {
    throw protocolError(`The string at byte ${from} is not JSON.`, error);
  }
}

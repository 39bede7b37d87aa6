// JSON in the memory of the scanner, 16 or 64 bytes at a step: where strings, values and lines end. It trusts its input to
// be JSON as far as it skips. Positions are addresses; each function returns the position after what it is for, and 0 where
// that does not end before `to`.

export const NEWLINE: i32 = 0x0a;
export const QUOTE: i32 = 0x22;
export const COMMA: i32 = 0x2c;
export const COLON: i32 = 0x3a;
export const OPEN_BRACKET: i32 = 0x5b;
export const BACKSLASH: i32 = 0x5c;
export const CLOSE_BRACKET: i32 = 0x5d;
export const OPEN_BRACE: i32 = 0x7b;
export const CLOSE_BRACE: i32 = 0x7d;
/** Set in braces, not in brackets: with it, one comparison finds both. */
export const BRACE_BIT: i32 = 0x20;

/** `at` is the first byte of a value; returns the position after its last. */
export function skipValue(at: i32, to: i32): i32 {
  const first = byte(at);
  if (first == QUOTE) return skipString(at + 1, to);
  if (first == OPEN_BRACE || first == OPEN_BRACKET) return skipNested(at + 1, to);
  const from = at;
  while (at < to && isLiteral(byte(at))) at++;
  return at == from ? 0 : at;
}

/** True for what numbers, true, false and null consist of: not white space, not what ends a value. */
function isLiteral(c: i32): bool {
  return c > 0x20 && c != COMMA && c != CLOSE_BRACE && c != CLOSE_BRACKET;
}

/** `at` is after the opening quote; returns the position after the closing one. */
export function skipString(at: i32, to: i32): i32 {
  while (at < to) {
    const bytes = v128.load(at);
    const found = places(bytes, QUOTE) | places(bytes, BACKSLASH);
    if (found == 0) {
      at += 16;
      continue;
    }
    at += ctz(found);
    if (byte(at) == QUOTE) return at < to ? at + 1 : 0;
    at += 2;
  }
  return 0;
}

/** The same for a string that must be ASCII without escapes. */
export function skipPlainString(at: i32, to: i32): i32 {
  while (at < to) {
    const bytes = v128.load(at);
    const found = places(bytes, QUOTE) | places(bytes, BACKSLASH) | i8x16.bitmask(bytes);
    if (found == 0) {
      at += 16;
      continue;
    }
    at += ctz(found);
    return at < to && byte(at) == QUOTE ? at + 1 : 0;
  }
  return 0;
}

/**
 * `at` is inside an object or array, outside of strings; returns the position after the bracket that ends it. 64 bytes at
 * a step, of each a bit: first which quotes count, then what is inside strings, then the brackets that are not.
 */
export function skipNested(at: i32, to: i32): i32 {
  let depth: i32 = 1;
  /** All ones while a string goes on from the step before. */
  let inString: u64 = 0;
  /** 1 where the step before ended in a backslash that counts. */
  let escaped: u64 = 0;
  while (at < to) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    let quotes = places64(a, b, c, d, QUOTE);
    const backslashes = places64(a, b, c, d, BACKSLASH);
    if ((backslashes | escaped) != 0) {
      quotes &= ~escaped;
      let left = backslashes & ~escaped;
      escaped = 0;
      while (left != 0) {
        const place = ctz(left);
        // Of the next byte; of none where the backslash is the last.
        const next = (<u64>2) << place;
        if (place == 63) escaped = 1;
        quotes &= ~next;
        left &= left - 1;
        left &= ~next;
      }
    }
    // Each bit becomes the parity of the quotes up to it: 1 inside a string.
    let strings = quotes;
    strings ^= strings << 1;
    strings ^= strings << 2;
    strings ^= strings << 4;
    strings ^= strings << 8;
    strings ^= strings << 16;
    strings ^= strings << 32;
    strings ^= inString;
    inString = <u64>(<i64>strings >> 63);
    if ((backslashes & ~strings) != 0) return 0;
    const brace = i8x16.splat(<i8>BRACE_BIT);
    const e = v128.or(a, brace);
    const f = v128.or(b, brace);
    const g = v128.or(c, brace);
    const h = v128.or(d, brace);
    let opening = places64(e, f, g, h, OPEN_BRACE) & ~strings;
    let closing = places64(e, f, g, h, CLOSE_BRACE) & ~strings;
    // `{}` and `[]`, which managedFields is full of, leave the depth as it is.
    const empty = opening & (closing >> 1);
    opening ^= empty;
    closing ^= empty << 1;
    const closings = <i32>popcnt(closing);
    if (closings >= depth) {
      for (let closed = 1; closing != 0; closed++) {
        const place = ctz(closing);
        const opened = <i32>popcnt(opening & (((<u64>1) << place) - 1));
        if (depth + opened == closed) return at + <i32>place < to ? at + <i32>place + 1 : 0;
        closing &= closing - 1;
      }
    }
    depth += <i32>popcnt(opening) - closings;
    at += 64;
  }
  return 0;
}

/** One bit for each of the 64 bytes that is `wanted`. */
function places64(a: v128, b: v128, c: v128, d: v128, wanted: i32): u64 {
  const low = <u64>(<u32>places(a, wanted)) | ((<u64>(<u32>places(b, wanted))) << 16);
  const high = <u64>(<u32>places(c, wanted)) | ((<u64>(<u32>places(d, wanted))) << 16);
  return low | (high << 32);
}

/** The first newline from `at` on; `to` where there is none before. */
export function newline(at: i32, to: i32): i32 {
  const wanted = i8x16.splat(<i8>NEWLINE);
  while (at < to) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    const ab = v128.or(i8x16.eq(a, wanted), i8x16.eq(b, wanted));
    const cd = v128.or(i8x16.eq(c, wanted), i8x16.eq(d, wanted));
    if (v128.any_true(v128.or(ab, cd))) {
      at += <i32>ctz(places64(a, b, c, d, NEWLINE));
      return at < to ? at : to;
    }
    at += 64;
  }
  return to;
}

/** True where `length` bytes are the same, and there are some. */
export function equal(a: i32, b: i32, length: i32): bool {
  for (let i: i32 = 0; i < length; i += 16) {
    const same = i8x16.bitmask(i8x16.eq(v128.load(a + i), v128.load(b + i)));
    const counted = length - i < 16 ? (1 << (length - i)) - 1 : 0xffff;
    if ((same & counted) != counted) return false;
  }
  return length > 0;
}

/** `after` is the position after the key's closing quote. */
export function isKey4(key: i32, after: i32, text: u32): bool {
  return after - key == 5 && load<u32>(key) == text;
}

/** `first` and `last` are the key's first and last eight bytes; for a key of eight, `last` is not looked at. */
export function isKey8(key: i32, after: i32, length: i32, first: u64, last: u64): bool {
  if (after - key != length + 1 || load<u64>(key) != first) return false;
  return length == 8 || load<u64>(key + length - 8) == last;
}

/** One bit for each of the 16 bytes that is `wanted`. */
function places(bytes: v128, wanted: i32): i32 {
  return i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(<i8>wanted)));
}

export function byte(at: i32): i32 {
  return <i32>load<u8>(at);
}

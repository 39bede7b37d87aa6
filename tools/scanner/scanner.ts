// The hot path of decoding, in AssemblyScript (https://www.assemblyscript.org): finds in the bytes of watch lines and
// list items where identity, version, last writer and managedFields of each object lie, 16 bytes at a step. It becomes
// lib/decode/scanner-wasm.ts by `npm run build:scanner`; lib/decode/byte-scanner.ts feeds and reads it.
//
// It knows only the one spelling that Go's encoders write: no white space between tokens, no escapes in the keys and
// strings that count, no key twice. Anything else it leaves to JavaScript, which reads that object by the book.
//
// All positions are addresses in this module's memory. A position 0 says "not found" or "not in that spelling". Loads
// reach up to 64 bytes beyond what they are asked for: whoever fills the memory leaves room.

/** A row has 16 numbers of 32 bits; these are the places of their first bytes. */
const ROW_BYTES: i32 = 64;
const KIND: i32 = 0;
const START: i32 = 4;
const END: i32 = 8;
const CUT_FROM: i32 = 12;
const CUT_TO: i32 = 16;
/** Each is followed by the position after the string. */
const NAME: i32 = 20;
const NAMESPACE: i32 = 28;
const UID: i32 = 36;
const RESOURCE_VERSION: i32 = 44;
const MANAGER: i32 = 52;

const OTHER: i32 = 0;
const ADDED: i32 = 1;
const MODIFIED: i32 = 2;
const DELETED: i32 = 3;
const ITEM: i32 = 4;

const NEWLINE: i32 = 0x0a;
const QUOTE: i32 = 0x22;
const COMMA: i32 = 0x2c;
const COLON: i32 = 0x3a;
const OPEN_BRACKET: i32 = 0x5b;
const BACKSLASH: i32 = 0x5c;
const CLOSE_BRACKET: i32 = 0x5d;
const OPEN_BRACE: i32 = 0x7b;
const CLOSE_BRACE: i32 = 0x7d;
/** Set in braces, not in brackets: with it, one comparison finds both. */
const BRACE_BIT: i32 = 0x20;

/**
 * Scans the lines of a watch between `at` and `to` into rows at `table`, at most `max`, and returns how many. A line
 * without its newline is left. After a row of kind OTHER, which bounds a line, it stops, so that its caller can learn
 * from that line. The other rows bound an object, two bytes before the next line. `beginning` is how objects begin up to
 * the value of metadata, in `length` bytes.
 */
export function scanLines(at: i32, to: i32, table: i32, max: i32, beginning: i32, length: i32): i32 {
  let rows: i32 = 0;
  while (rows < max) {
    const end = newline(at, to);
    if (end == to) break;
    const row = table + rows * ROW_BYTES;
    clear(row);
    rows++;
    const kind = readLine(at, end, row, beginning, length);
    store<i32>(row + KIND, kind);
    if (kind == OTHER) {
      store<i32>(row + START, at);
      store<i32>(row + END, end);
      break;
    }
    at = end + 1;
  }
  return rows;
}

/** Returns the line's kind; the row is only meant to be read where that is not OTHER. */
function readLine(at: i32, end: i32, row: i32, beginning: i32, length: i32): i32 {
  // {"type":"MODIFIED","object":{…}}, eight bytes at a time, the first of them lowest.
  if (load<u64>(at) != 0x3a2265707974227b || byte(at + 8) != QUOTE) return OTHER;
  let kind = OTHER;
  let quote = at + 9;
  if (load<u64>(quote) == 0x4445494649444f4d) {
    kind = MODIFIED;
    quote += 8;
  } else if (load<u32>(quote) == 0x45444441 && byte(quote + 4) == 0x44) {
    kind = ADDED;
    quote += 5;
  } else if (load<u32>(quote) == 0x454c4544 && load<u32>(quote + 3) == 0x44455445) {
    kind = DELETED;
    quote += 7;
  }
  // ","object":
  if (load<u64>(quote) != 0x63656a626f222c22 || load<u32>(quote + 7) != 0x3a227463) return OTHER;
  const object = quote + 11;
  // The object reaches to the brace before the last one. Its data are not walked: what an encoder began so, it ended so.
  if (byte(end - 1) != CLOSE_BRACE || byte(end - 2) != CLOSE_BRACE) return OTHER;
  if (!equal(object, beginning, length)) return OTHER;
  const after = readMetadata(object + length, end - 1, row);
  if (after == 0 || (byte(after) != COMMA && after != end - 2)) return OTHER;
  store<i32>(row + START, object);
  store<i32>(row + END, end - 1);
  return kind;
}

/**
 * Scans the items of a list from the `{` at `at` into rows, as `scanLines` does; `to` ends what has arrived. It stops
 * after an item that is not followed by `,{`, and before one that is not complete or not in the one spelling. `typed`:
 * the beginning holds apiVersion and kind; without it, an item that has one of them after its metadata is not taken.
 */
export function scanItems(at: i32, to: i32, table: i32, max: i32, beginning: i32, length: i32, typed: bool): i32 {
  let rows: i32 = 0;
  while (rows < max) {
    const row = table + rows * ROW_BYTES;
    clear(row);
    if (at + length >= to || !equal(at, beginning, length)) break;
    const after = readMetadata(at + length, to, row);
    if (after == 0) break;
    const end = typed ? skipNested(after, to) : skipMembers(after, to);
    if (end == 0) break;
    store<i32>(row + KIND, ITEM);
    store<i32>(row + START, at);
    store<i32>(row + END, end);
    rows++;
    if (end + 1 >= to || byte(end) != COMMA || byte(end + 1) != OPEN_BRACE) break;
    at = end + 1;
  }
  return rows;
}

function clear(row: i32): void {
  const zeros = i8x16.splat(0);
  v128.store(row, zeros);
  v128.store(row, zeros, 16);
  v128.store(row, zeros, 32);
  v128.store(row, zeros, 48);
}

/** `at` is after a member of an object; returns the position after the object, 0 where it has apiVersion, kind or metadata. */
function skipMembers(at: i32, to: i32): i32 {
  while (true) {
    if (at >= to) return 0;
    const separator = byte(at);
    if (separator == CLOSE_BRACE) return at + 1;
    if (separator != COMMA || byte(at + 1) != QUOTE) return 0;
    const key = at + 2;
    const after = skipPlainString(key, to);
    if (after == 0 || byte(after) != COLON) return 0;
    // kind; metadata; apiVersi, iVersion
    if (isKey4(key, after, 0x646e696b)) return 0;
    if (isKey8(key, after, 8, 0x617461646174656d, 0)) return 0;
    if (isKey8(key, after, 10, 0x6973726556697061, 0x6e6f697372655669)) return 0;
    at = skipValue(after + 1, to);
    if (at == 0) return 0;
  }
}

/** `at` is the value of metadata; fills the row and returns the position after it. */
function readMetadata(at: i32, to: i32, row: i32): i32 {
  if (byte(at) != OPEN_BRACE) return 0;
  /** The end of the member before this one, 0 for none. */
  let previous: i32 = 0;
  while (true) {
    const quote = at + 1;
    if (byte(quote) != QUOTE) return 0;
    const key = quote + 1;
    const colon = skipPlainString(key, to);
    if (colon == 0 || byte(colon) != COLON) return 0;
    at = colon + 1;
    const field = fieldOf(key, colon);
    if (field == CUT_FROM) {
      if (load<i32>(row + CUT_TO) != 0) return 0;
      at = readManagedFields(at, to, row);
      if (at == 0) return 0;
      const isLast = byte(at) != COMMA;
      store<i32>(row + CUT_FROM, isLast && previous != 0 ? previous : quote);
      store<i32>(row + CUT_TO, isLast ? at : at + 1);
    } else if (field != 0) {
      if (byte(at) != QUOTE || load<i32>(row + field) != 0) return 0;
      store<i32>(row + field, at + 1);
      at = skipPlainString(at + 1, to);
      if (at == 0) return 0;
      store<i32>(row + field + 4, at - 1);
    } else {
      at = skipValue(at, to);
      if (at == 0) return 0;
    }
    previous = at;
    if (byte(at) == CLOSE_BRACE) break;
    if (byte(at) != COMMA) return 0;
  }
  // A name and a version are what an object cannot do without.
  if (load<i32>(row + NAME) == load<i32>(row + NAME + 4)) return 0;
  if (load<i32>(row + RESOURCE_VERSION) == load<i32>(row + RESOURCE_VERSION + 4)) return 0;
  return at < to ? at + 1 : 0;
}

/** Which field of the row the key names; CUT_FROM for managedFields, 0 for those that do not count. */
function fieldOf(key: i32, after: i32): i32 {
  // name
  if (isKey4(key, after, 0x656d616e)) return NAME;
  // namespac, amespace
  if (isKey8(key, after, 9, 0x63617073656d616e, 0x6563617073656d61)) return NAMESPACE;
  // uid
  if (after - key == 4 && (load<u32>(key) & 0xffffff) == 0x646975) return UID;
  // resource, eVersion
  if (isKey8(key, after, 15, 0x656372756f736572, 0x6e6f697372655665)) return RESOURCE_VERSION;
  // managedF, edFields
  if (isKey8(key, after, 13, 0x46646567616e616d, 0x73646c6569466465)) return CUT_FROM;
  return 0;
}

/** `after` is the position after the key's closing quote. */
function isKey4(key: i32, after: i32, text: u32): bool {
  return after - key == 5 && load<u32>(key) == text;
}

/** `first` and `last` are the key's first and last eight bytes; for a key of eight, `last` is not looked at. */
function isKey8(key: i32, after: i32, length: i32, first: u64, last: u64): bool {
  if (after - key != length + 1 || load<u64>(key) != first) return false;
  return length == 8 || load<u64>(key + length - 8) == last;
}

/** `at` is the value of managedFields; notes the manager of the latest time, of several the last. Returns the position after it. */
function readManagedFields(at: i32, to: i32, row: i32): i32 {
  if (byte(at) != OPEN_BRACKET) return 0;
  if (byte(at + 1) == CLOSE_BRACKET) return at + 2;
  let lastTime: i32 = 0;
  let lastTimeEnd: i32 = 0;
  while (true) {
    if (byte(++at) != OPEN_BRACE) return 0;
    let time: i32 = 0;
    let timeEnd: i32 = 0;
    let manager: i32 = 0;
    let managerEnd: i32 = 0;
    while (true) {
      if (byte(++at) != QUOTE) return 0;
      const key = at + 1;
      at = skipPlainString(key, to);
      if (at == 0 || byte(at) != COLON) return 0;
      const isManager = isManagerKey(key, at);
      // time
      if (isManager || isKey4(key, at, 0x656d6974)) {
        if (byte(++at) != QUOTE || (isManager ? manager : time) != 0) return 0;
        const text = at + 1;
        at = skipPlainString(text, to);
        if (isManager) {
          manager = text;
          managerEnd = at - 1;
        } else {
          time = text;
          timeEnd = at - 1;
        }
      } else at = skipValue(at + 1, to);
      if (at == 0) return 0;
      if (byte(at) == CLOSE_BRACE) break;
      if (byte(at) != COMMA) return 0;
    }
    if (!isLess(time, timeEnd, lastTime, lastTimeEnd)) {
      lastTime = time;
      lastTimeEnd = timeEnd;
      store<i32>(row + MANAGER, manager);
      store<i32>(row + MANAGER + 4, managerEnd);
    }
    at++;
    if (byte(at) == CLOSE_BRACKET) return at < to ? at + 1 : 0;
    if (byte(at) != COMMA) return 0;
  }
}

function isManagerKey(key: i32, after: i32): bool {
  // mana, ager
  return after - key == 8 && load<u32>(key) == 0x616e616d && load<u32>(key + 3) == 0x72656761;
}

/** Compares two texts by their bytes. */
function isLess(a: i32, aEnd: i32, b: i32, bEnd: i32): bool {
  while (a < aEnd && b < bEnd) {
    const difference = byte(a++) - byte(b++);
    if (difference != 0) return difference < 0;
  }
  return a == aEnd && b < bEnd;
}

/** `at` is the first byte of a value; returns the position after its last. */
function skipValue(at: i32, to: i32): i32 {
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
function skipString(at: i32, to: i32): i32 {
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
function skipPlainString(at: i32, to: i32): i32 {
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
function skipNested(at: i32, to: i32): i32 {
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
function newline(at: i32, to: i32): i32 {
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
function equal(a: i32, b: i32, length: i32): bool {
  for (let i: i32 = 0; i < length; i += 16) {
    const same = i8x16.bitmask(i8x16.eq(v128.load(a + i), v128.load(b + i)));
    const counted = length - i < 16 ? (1 << (length - i)) - 1 : 0xffff;
    if ((same & counted) != counted) return false;
  }
  return length > 0;
}

/** One bit for each of the 16 bytes that is `wanted`. */
function places(bytes: v128, wanted: i32): i32 {
  return i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(<i8>wanted)));
}

function byte(at: i32): i32 {
  return <i32>load<u8>(at);
}

// The hot path of decoding, in AssemblyScript (https://www.assemblyscript.org): finds in the bytes of watch lines and
// list items where identity, version, last writer and managedFields of each object lie, 16 bytes at a step. It becomes
// lib/decode/scanner-wasm.ts by `npm run build:scanner`; lib/decode/byte-scanner.ts feeds and reads it.
//
// It knows only the one spelling that Go's encoders write: no white space between tokens, no escapes in the keys and
// strings that count, no key twice. Anything else it leaves to JavaScript, which reads that object by the book.
//
// All positions are addresses in this module's memory. A position 0 says "not found" or "not in that spelling". Loads
// reach up to 64 bytes beyond what they are asked for: whoever fills the memory leaves room.

import {
  byte,
  CLOSE_BRACE,
  COLON,
  COMMA,
  equal,
  isKey4,
  isKey8,
  newline,
  OPEN_BRACE,
  QUOTE,
  skipNested,
  skipPlainString,
  skipValue,
} from './json';
import { readMetadata } from './metadata';
import { ADDED, clear, DELETED, END, ITEM, KIND, MODIFIED, OTHER, ROW_BYTES, START } from './row';

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

// Skips metadata.managedFields without walking it. It is a third to a half of most objects and deeply nested, but in
// what Go's encoders write of it some byte sequences can mean only one thing, and native search finds them:
//
// - Between the array's `[` and the next `]` there is no other `[`: so there is no other array (fieldsV1 has none).
// - `],"x` or `]},"x`, with a letter: the quote begins a string. Would it end one, no letter could follow. So the bracket
//   is not inside a string: it ends the array.
// - `},{"x` likewise is no part of a string, and objects stand side by side only in an array: it parts two entries.
// - A time is in UTC, written without escapes, and ends in `Z"`, which hardly anything else does: so each entry's time is
//   found by its Z, and what stands around it tells whether it is an entry's own. (This one is trust in the API server: a
//   time of another form would be overlooked, and an earlier writer named.)
//
// Wherever one of these does not hold, the answer is `undefined` and the caller walks.
import { BACKSLASH, CLOSE_BRACE, CLOSE_BRACKET, COMMA, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './json-bytes.ts';
import type { ManagedFields } from './managed-fields.ts';

const MANAGER = Buffer.from('"manager":"');
const OPERATION = Buffer.from('"operation":"');
const API_VERSION = Buffer.from('"apiVersion":"');
const SUBRESOURCE = Buffer.from('"subresource":"');
const TIME = Buffer.from('"time":"');

/** Of `2026-11-22T15:43:18Z`: metav1.Time is RFC 3339 in UTC and whole seconds. */
const TIME_LENGTH = 20;
const LETTER_Z = 0x5a;

/** `at` is the `[`; nothing at or after `limit` is relied upon. */
export function jumpManagedFields(bytes: Buffer, at: number, limit: number): ManagedFields | undefined {
  const close = bytes.indexOf(CLOSE_BRACKET, at);
  if (close < 0 || close + 3 >= limit || !endsArray(bytes, close)) return undefined;
  const nested = bytes.indexOf(OPEN_BRACKET, at + 1);
  if (nested >= 0 && nested < close) return undefined;
  let time = -1;
  for (let z = bytes.indexOf(LETTER_Z, at); z >= 0 && z < close; z = bytes.indexOf(LETTER_Z, z + 1)) {
    if (bytes[z + 1] !== QUOTE) continue;
    const other = z - TIME_LENGTH;
    if (!isTime(bytes, other) || !isEntrys(bytes, at, close, other)) return undefined;
    if (time < 0 || !isEarlier(bytes, other, time)) time = other;
  }
  const manager = time < 0 ? -1 : managerOf(bytes, time);
  return manager < 0 ? undefined : { end: close + 1, manager };
}

function endsArray(bytes: Buffer, close: number): boolean {
  const after = bytes[close + 1] === CLOSE_BRACE ? close + 2 : close + 1;
  return bytes[close - 1] === CLOSE_BRACE && bytes[after] === COMMA && beginsKey(bytes, after + 1);
}

function beginsKey(bytes: Buffer, at: number): boolean {
  return bytes[at] === QUOTE && isLetter(bytes[at + 1]);
}

function isLetter(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x61 && byte <= 0x7a;
}

/** True where the value at `time` is certainly that of an entry's own `time`, not of something inside an entry. */
function isEntrys(bytes: Buffer, open: number, close: number, time: number): boolean {
  if (!follows(bytes, time, TIME)) return false;
  if (endsEntry(bytes, time)) {
    // Custom resources have their keys in the order of the alphabet, with time last.
    const brace = time + TIME_LENGTH + 2;
    return brace + 1 === close || (bytes[brace + 1] === COMMA && beginsObject(bytes, brace + 2));
  }
  // Built-in kinds have them in the order of the struct, with manager first.
  const brace = managerOf(bytes, time) - MANAGER.length;
  if (brace < open || bytes[brace] !== OPEN_BRACE) return false;
  return brace === open + 1 || (bytes[brace - 1] === COMMA && bytes[brace - 2] === CLOSE_BRACE);
}

function endsEntry(bytes: Buffer, time: number): boolean {
  return bytes[time + TIME_LENGTH + 2] === CLOSE_BRACE;
}

/** The opening quote of the manager in an entry's keys before `time`; -1 where they are not in one of two orders. */
function managerOf(bytes: Buffer, time: number): number {
  let value = valueBefore(bytes, time, TIME);
  if (!endsEntry(bytes, time)) {
    // manager, operation, apiVersion, time, fieldsType, fieldsV1
    value = valueBefore(bytes, value, API_VERSION);
  } else if (follows(bytes, value, SUBRESOURCE)) {
    // apiVersion, fieldsType, fieldsV1, manager, operation, subresource, time
    value = valueBefore(bytes, value, SUBRESOURCE);
  }
  value = valueBefore(bytes, value, OPERATION);
  return follows(bytes, value, MANAGER) ? value : -1;
}

function beginsObject(bytes: Buffer, at: number): boolean {
  return bytes[at] === OPEN_BRACE && beginsKey(bytes, at + 1);
}

/** True where the key `name` (with its colon and an opening quote) stands before the value at `quote`. */
function follows(bytes: Buffer, quote: number, name: Buffer): boolean {
  const from = quote - name.length + 1;
  for (let i = 0; i < name.length; i++) if (bytes[from + i] !== name[i]) return false;
  return true;
}

/**
 * The opening quote of the string that is the value before: `quote` opens the value of `name`, which follows that string
 * and a comma. -1 where it is otherwise. An escaped quote inside that string does no harm: no key stands before it.
 */
function valueBefore(bytes: Buffer, quote: number, name: Buffer): number {
  if (!follows(bytes, quote, name)) return -1;
  const comma = quote - name.length;
  if (bytes[comma] !== COMMA || bytes[comma - 1] !== QUOTE) return -1;
  let i = comma - 2;
  while (i > 0 && bytes[i] !== QUOTE) i--;
  return i;
}

/** True where a string of a time's length begins at `quote`. */
function isTime(bytes: Buffer, quote: number): boolean {
  for (let i = quote + 1; i <= quote + TIME_LENGTH; i++) {
    const byte = bytes[i];
    if (byte === QUOTE || byte === BACKSLASH) return false;
  }
  return bytes[quote + TIME_LENGTH + 1] === QUOTE;
}

function isEarlier(bytes: Buffer, a: number, b: number): boolean {
  for (let i = 1; i <= TIME_LENGTH; i++) {
    const difference = (bytes[a + i] as number) - (bytes[b + i] as number);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

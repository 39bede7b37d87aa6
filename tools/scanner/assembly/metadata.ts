// Reads metadata into a row: identity, version, and what managedFields say of the last writer and where they lie.
import {
  byte,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  isKey4,
  isKey8,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipPlainString,
  skipValue,
} from './json';
import { CUT_FROM, CUT_TO, MANAGER, NAME, NAMESPACE, RESOURCE_VERSION, UID } from './row';

/** `at` is the value of metadata; fills the row and returns the position after it. */
export function readMetadata(at: i32, to: i32, row: i32): i32 {
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

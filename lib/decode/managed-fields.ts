// Reads metadata.managedFields just far enough to skip it and to learn who wrote last.
import { CLOSE_BRACKET, COMMA, OPEN_BRACKET, parseString, QUOTE, skipSpace, skipValue } from './json-bytes.ts';
import { Members } from './members.ts';
import { protocolError } from './protocol-error.ts';

export interface ManagedFields {
  /** Position after the value. */
  end: number;
  /** Position of the opening quote of the last writer's name, -1 where there is none. */
  manager: number;
}

/**
 * `at` is the value of managedFields. The last writer is the manager of the entry with the latest `time`, of several
 * the last; times are RFC 3339 in UTC in whole seconds (metav1.Time), so they compare as text.
 */
export function skipManagedFields(bytes: Buffer, at: number, limit: number): ManagedFields {
  if (bytes[at] !== OPEN_BRACKET) return { end: skipValue(bytes, at, limit), manager: -1 };
  let lastManager = -1;
  let lastTime = '';
  let i = skipSpace(bytes, at + 1, limit);
  while (i < limit && bytes[i] !== CLOSE_BRACKET) {
    let time = '';
    let manager = -1;
    const entry = new Members(bytes, i, limit);
    while (entry.next()) {
      entry.skipValue();
      if (bytes[entry.value] !== QUOTE) continue;
      if (entry.keyIs('manager')) manager = entry.value;
      else if (entry.keyIs('time')) time = parseString(bytes, entry.value, entry.end);
    }
    if (time >= lastTime) {
      lastManager = manager;
      lastTime = time;
    }
    i = skipSpace(bytes, entry.end, limit);
    if (bytes[i] === COMMA) i = skipSpace(bytes, i + 1, limit);
    else if (bytes[i] !== CLOSE_BRACKET) throw protocolError(`An array is not continued or closed at byte ${i}.`);
  }
  if (i >= limit) throw protocolError(`An array that begins at byte ${at} does not end.`);
  return { end: i + 1, manager: lastManager };
}

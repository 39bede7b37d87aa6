// Reads an object's metadata in one walk over its bytes: the half of decoding that cannot be jumped over.

import {
  BACKSLASH,
  CLOSE_BRACE,
  COLON,
  COMMA,
  OPEN_BRACE,
  parseString,
  QUOTE,
  skipColon,
  skipSpace,
  skipString,
  skipValue,
} from './json-bytes.ts';
import { skipManagedFields } from './managed-fields.ts';
import { protocolError } from './protocol-error.ts';
import type { StringReader } from './string-reader.ts';

/** Strings are '' where absent. */
export interface FoundMetadata {
  namespace: string;
  name: string;
  uid: string;
  resourceVersion: string;
  /** Who wrote last, from managedFields. */
  manager: string;
  /** The bytes to leave out, managedFields with a comma; both 0 where there is none. */
  cutFrom: number;
  cutTo: number;
  /** Position after metadata. */
  end: number;
}

const NAME = Buffer.from('name');
const NAMESPACE = Buffer.from('namespace');
const UID = Buffer.from('uid');
const RESOURCE_VERSION = Buffer.from('resourceVersion');
const MANAGED_FIELDS = Buffer.from('managedFields');

export class MetadataScanner {
  private readonly strings: StringReader;

  constructor(strings: StringReader) {
    this.strings = strings;
  }

  /** `at` is the value of metadata, or white space before it. Throws Mk8sError `protocol` where it is no object, or one of its strings is none. */
  scan(bytes: Buffer, at: number, end: number): FoundMetadata {
    const found = { namespace: '', name: '', uid: '', resourceVersion: '', manager: '', cutFrom: 0, cutTo: 0, end: 0 };
    const open = skipSpace(bytes, at, end);
    if (open >= end || bytes[open] !== OPEN_BRACE) throw protocolError(`There is no object at byte ${open}.`);
    let i = skipSpace(bytes, open + 1, end);
    /** The end of the member before this one, 0 for none. */
    let previous = 0;
    while (i < end && bytes[i] !== CLOSE_BRACE) {
      const key = i;
      if (bytes[key] !== QUOTE) throw protocolError(`Metadata has no key at byte ${key}.`);
      let keyEnd = key + 1;
      while (keyEnd < end && bytes[keyEnd] !== QUOTE && bytes[keyEnd] !== BACKSLASH) keyEnd++;
      const escaped = bytes[keyEnd] === BACKSLASH;
      keyEnd = escaped ? skipString(bytes, key, end) : keyEnd + 1;
      const value = bytes[keyEnd] === COLON && bytes[keyEnd + 1] === QUOTE ? keyEnd + 1 : skipColon(bytes, keyEnd, end);
      const field = escaped ? fieldOfEscaped(bytes, key, keyEnd) : fieldOf(bytes, key + 1, keyEnd - 1);
      if (field === MANAGED_FIELDS) {
        i = this.managedFields(bytes, key, value, previous, end, found);
      } else if (field === undefined) i = skipValue(bytes, value, end);
      else {
        const { strings } = this;
        const text = field === NAMESPACE ? strings.readFrequent(bytes, value, end) : strings.read(bytes, value, end);
        i = strings.end;
        if (field === NAME) found.name = text;
        else if (field === NAMESPACE) found.namespace = text;
        else if (field === UID) found.uid = text;
        else found.resourceVersion = text;
      }
      previous = i;
      if (bytes[i] !== COMMA) i = skipSpace(bytes, i, end);
      if (bytes[i] === COMMA) i = skipSpace(bytes, i + 1, end);
      else if (bytes[i] !== CLOSE_BRACE) break;
    }
    if (i >= end || bytes[i] !== CLOSE_BRACE) throw protocolError(`Metadata is not continued or closed at byte ${i}.`);
    found.end = i + 1;
    return found;
  }

  /** Returns the position after the value. */
  private managedFields(
    bytes: Buffer,
    key: number,
    value: number,
    previous: number,
    end: number,
    found: FoundMetadata,
  ): number {
    const fields = skipManagedFields(bytes, value, end);
    if (fields.manager >= 0) {
      found.manager = this.strings.readFrequent(bytes, fields.manager, end);
    }
    const next = skipSpace(bytes, fields.end, end);
    if (bytes[next] === COMMA) {
      found.cutFrom = key;
      found.cutTo = skipSpace(bytes, next + 1, end);
    } else {
      found.cutFrom = previous === 0 ? key : previous;
      found.cutTo = fields.end;
    }
    return fields.end;
  }
}

/** Which of the fields that count the key names that lies between `from` and `to`, without escapes. */
function fieldOf(bytes: Buffer, from: number, to: number): Buffer | undefined {
  switch (to - from) {
    case 3:
      return spells(bytes, from, UID);
    case 4:
      return spells(bytes, from, NAME);
    case 9:
      return spells(bytes, from, NAMESPACE);
    case 13:
      return spells(bytes, from, MANAGED_FIELDS);
    case 15:
      return spells(bytes, from, RESOURCE_VERSION);
    default:
      return undefined;
  }
}

function spells(bytes: Buffer, at: number, name: Buffer): Buffer | undefined {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name[i]) return undefined;
  return name;
}

function fieldOfEscaped(bytes: Buffer, key: number, keyEnd: number): Buffer | undefined {
  const name = Buffer.from(parseString(bytes, key, keyEnd));
  return fieldOf(name, 0, name.length);
}

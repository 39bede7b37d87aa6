// Makes an object's identity and bytes of a row of the byte scanner.
import { resourceVersion } from '../model/resource-version.ts';
import type { ScannedObject } from '../model/revision.ts';
import { type ByteScanner, ROW } from './byte-scanner.ts';
import { cutOut } from './cut-out.ts';
import type { StringReader } from './string-reader.ts';

export interface RowContext {
  readonly strings: StringReader;
  /** What the object's beginning, or its list, says of it. */
  readonly type: { readonly apiVersion: string; readonly kind: string };
  /** What the object begins with instead of its `{`. */
  readonly opening?: Buffer | undefined;
  readonly inPlace: boolean;
}

/**
 * Names, uid and version stand close together: one call makes a string of all, and slices of it share its characters.
 * So one of them alone keeps as many bytes as this in memory, at most.
 */
const SPAN_BYTES = 256;

/** `bytes` are those that the scanner loaded; `row` counts from 0. */
export function readRow(
  bytes: Buffer,
  { rows, shift }: ByteScanner,
  row: number,
  { strings, type, opening, inPlace }: RowContext,
): ScannedObject {
  const at = row * ROW.size;
  const name = rows[at + ROW.name] as number;
  const nameEnd = rows[at + ROW.name + 1] as number;
  const version = rows[at + ROW.resourceVersion] as number;
  const versionEnd = rows[at + ROW.resourceVersion + 1] as number;
  // Absent: an empty string at the version's place.
  const uid = (rows[at + ROW.uid] as number) || version;
  const uidEnd = (rows[at + ROW.uid + 1] as number) || version;
  const from = Math.min(name, version, uid);
  const to = Math.max(nameEnd, versionEnd, uidEnd);
  const span = to - from <= SPAN_BYTES ? bytes.toString('latin1', from - shift, to - shift) : '';
  const text = (start: number, end: number): string =>
    span === '' ? bytes.toString('latin1', start - shift, end - shift) : span.slice(start - from, end - from);
  const frequent = (field: number): string =>
    strings.frequent(bytes, (rows[at + field] as number) - shift, (rows[at + field + 1] as number) - shift);
  const cutTo = rows[at + ROW.cutTo] as number;
  const cut = {
    start: (rows[at + ROW.start] as number) - shift,
    end: (rows[at + ROW.end] as number) - shift,
    cutFrom: cutTo === 0 ? 0 : (rows[at + ROW.cutFrom] as number) - shift,
    cutTo: cutTo === 0 ? 0 : cutTo - shift,
  };
  return {
    apiVersion: type.apiVersion,
    kind: type.kind,
    namespace: frequent(ROW.namespace),
    name: text(name, nameEnd),
    uid: text(uid, uidEnd),
    resourceVersion: resourceVersion(text(version, versionEnd)),
    manager: frequent(ROW.manager),
    // Last, as it may move the bytes of the strings.
    object: cutOut(bytes, cut, opening, inPlace),
  };
}

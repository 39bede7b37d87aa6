// Who owns which field after a write: what `metadata.managedFields` says. Ownership moves to the writer of a new value.
import { container, type FieldScope, type Fields, fieldsOf, fromFieldsV1, toFieldsV1 } from './field-sets.ts';
import { equal } from './json.ts';
import type { KubeObject, ManagedFieldsEntry } from './object.ts';

export interface Writer {
  /** `fieldManager`, else the User-Agent up to the first slash. */
  readonly manager: string;
  readonly operation: 'Update' | 'Apply';
  readonly subresource: 'status' | undefined;
  /** RFC 3339, seconds. */
  readonly time: string;
}

/** The entries after `next` replaced `live` (undefined: it is new) in an ordinary write. */
export function ownedAfterUpdate(
  live: KubeObject | undefined,
  next: KubeObject,
  scope: FieldScope,
  writer: Writer,
): ManagedFieldsEntry[] {
  const before: Fields = live === undefined ? new Map() : fieldsOf(live, scope, false);
  const after = fieldsOf(next, scope, false);
  const changed = new Set([...after].filter(([path, value]) => differs(before, path, value)).map(([path]) => path));
  const removed = new Set([...before.keys()].filter((path) => !after.has(path)));
  const entries = live?.metadata.managedFields ?? [];
  const mine = entries.find((entry) => isMine(entry, next, writer));
  const others = entries
    .filter((entry) => entry !== mine)
    .flatMap((entry) => without(entry, [changed, removed], before));
  if (changed.size + removed.size === 0) return entries;
  const owned = mine === undefined ? new Set<string>() : fromFieldsV1(mine.fieldsV1);
  const { size } = owned;
  for (const path of changed) owned.add(path);
  for (const path of removed) owned.delete(path);
  if (mine !== undefined && owned.size === size && removed.size === 0) {
    // The same fields with new values: nothing to write but the time.
    return inOrder([...others, { ...mine, time: writer.time }]);
  }
  return inOrder(owned.size === 0 ? others : [...others, entryOf(next.apiVersion, writer, owned)]);
}

export function entryOf(apiVersion: string, writer: Writer, paths: Iterable<string>): ManagedFieldsEntry {
  return {
    manager: writer.manager,
    operation: writer.operation,
    apiVersion,
    time: writer.time,
    fieldsType: 'FieldsV1',
    fieldsV1: toFieldsV1(paths),
    ...(writer.subresource === undefined ? {} : { subresource: writer.subresource }),
  };
}

export function isMine(entry: ManagedFieldsEntry, object: KubeObject, writer: Writer): boolean {
  return (
    entry.manager === writer.manager &&
    entry.operation === writer.operation &&
    entry.subresource === writer.subresource &&
    entry.apiVersion === object.apiVersion
  );
}

/** The entry less the fields that it lost; none where nothing is left. What is new to the object nobody loses. */
export function without(
  entry: ManagedFieldsEntry,
  lost: readonly ReadonlySet<string>[],
  before: Fields,
): ManagedFieldsEntry[] {
  const paths = fromFieldsV1(entry.fieldsV1);
  const size = paths.size;
  for (const path of paths) if (before.has(path) && lost.some((set) => set.has(path))) paths.delete(path);
  if (paths.size === size) return [entry];
  return paths.size === 0 ? [] : [{ ...entry, fieldsV1: toFieldsV1(paths) }];
}

export function differs(fields: Fields, path: string, value: unknown): boolean {
  const old = fields.get(path);
  if (old === undefined) return true;
  return old !== container && value !== container && !equal(old, value as Parameters<typeof equal>[1]);
}

/** Applies first, then by time, name and subresource. */
export function inOrder(entries: readonly ManagedFieldsEntry[]): ManagedFieldsEntry[] {
  const rank = ({ operation, time, manager, subresource = '' }: ManagedFieldsEntry): string =>
    `${operation === 'Apply' ? 0 : 1}${time} ${manager} ${subresource}`;
  return [...entries].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

// Server-side apply: the object becomes what its managers together declared. A field that another manager owns with
// another value is a conflict unless forced; a field that its last owner no longer declares is removed.
import { type FieldScope, fieldsOf, fromFieldsV1, itemsByElement, printPath } from './field-sets.ts';
import { asArray, asObject, clone, encode, equal, isObject, type Json, type JsonObject } from './json.ts';
import { differs, entryOf, inOrder, isMine, type Writer, without } from './managed-fields.ts';
import type { KubeObject, ManagedFieldsEntry } from './object.ts';
import type { Schema } from './resource.ts';
import { type ApiError, failure } from './status.ts';
import { listKind, memberSchema } from './structure.ts';

export interface Applied {
  readonly object: KubeObject;
  readonly managedFields: ManagedFieldsEntry[];
}

/**
 * Merges `config` into `live` on behalf of `writer`. `live` is not changed. Throws 409 with a cause per field where
 * others own fields with other values and `force` is false.
 */
export function applyConfig(
  live: KubeObject,
  config: KubeObject,
  scope: FieldScope,
  writer: Writer,
  force: boolean,
): Applied {
  const declared = fieldsOf(config, scope, true);
  const current = fieldsOf(live, scope, false);
  const entries = live.metadata.managedFields ?? [];
  const mine = entries.find((entry) => isMine(entry, config, writer));
  const others = entries.filter((entry) => entry !== mine);
  const changed = new Set([...declared].filter(([path, value]) => differs(current, path, value)).map(([path]) => path));
  const conflicts = others.flatMap((entry) => conflictsWith(entry, changed, current));
  if (conflicts.length > 0 && !force) throw conflictError(conflicts);
  const kept = others.flatMap((entry) => without(entry, [changed], current));
  const object = clone(live);
  mergeObject(object, config, scope);
  for (const path of mine === undefined ? [] : fromFieldsV1(mine.fieldsV1)) {
    if (!declared.has(path) && !kept.some((entry) => fromFieldsV1(entry.fieldsV1).has(path))) {
      removePath(object, path.split('\n'));
    }
  }
  const unchanged =
    mine !== undefined && equal(fromEntry(mine), fromEntry(entryOf(config.apiVersion, writer, declared.keys())));
  const entry = unchanged && equal(object, live) ? mine : entryOf(config.apiVersion, writer, declared.keys());
  return { object, managedFields: inOrder([...kept, entry]) };
}

interface FieldConflict {
  readonly manager: string;
  readonly path: string;
}

function conflictsWith(
  entry: ManagedFieldsEntry,
  changed: ReadonlySet<string>,
  current: ReadonlyMap<string, Json>,
): FieldConflict[] {
  const owned = fromFieldsV1(entry.fieldsV1);
  return [...changed]
    .filter((path) => current.has(path) && owned.has(path))
    .map((path) => ({ manager: `"${entry.manager}"${usingOf(entry)}`, path: printPath(path) }));
}

function usingOf({ operation, apiVersion, subresource }: ManagedFieldsEntry): string {
  if (operation === 'Apply') return '';
  return ` ${subresource === undefined ? '' : `with subresource "${subresource}" `}using ${apiVersion}`;
}

function conflictError(conflicts: readonly FieldConflict[]): ApiError {
  const ordered = [...conflicts].sort((a, b) => (a.path < b.path ? -1 : 1));
  const managers = [...new Set(ordered.map(({ manager }) => manager))];
  const groups = managers.map((manager) => {
    const paths = ordered.filter((one) => one.manager === manager).map(({ path }) => path);
    return `conflicts with ${manager}:\n${paths.map((path) => `- ${path}`).join('\n')}`;
  });
  const only = ordered[0];
  const text =
    ordered.length === 1 && only !== undefined ? `conflict with ${only.manager}: ${only.path}` : groups.join('\n');
  const number = ordered.length === 1 ? '1 conflict' : `${ordered.length} conflicts`;
  return failure(409, 'Conflict', `Apply failed with ${number}: ${text}`, {
    causes: ordered.map(({ manager, path }) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${manager}`,
      field: path,
    })),
  });
}

function mergeObject(object: KubeObject, config: KubeObject, scope: FieldScope): void {
  const metadata = asObject(config.metadata);
  for (const name of ['labels', 'annotations', 'finalizers', 'ownerReferences']) {
    if (metadata[name] !== undefined && scope.part !== 'status') {
      object.metadata[name] = merge(object.metadata[name], metadata[name], metadataSchemas[name]);
    }
  }
  for (const [name, value] of Object.entries(config)) {
    if (name === 'apiVersion' || name === 'kind' || name === 'metadata' || value === undefined) continue;
    if (scope.part !== 'all' && (name === 'status') !== (scope.part === 'status')) continue;
    object[name] = merge(object[name], value, memberSchema(scope.schema, name));
  }
}

const metadataSchemas: Record<string, Schema> = {
  finalizers: { 'x-kubernetes-list-type': 'set' },
  ownerReferences: { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['uid'] },
};

function merge(live: Json | undefined, value: Json, schema: Schema | undefined): Json {
  if (isObject(value) && isObject(live) && schema?.['x-kubernetes-map-type'] !== 'atomic') {
    const result: JsonObject = { ...live };
    for (const [name, member] of Object.entries(value)) {
      if (member !== undefined) result[name] = merge(live[name], member, memberSchema(schema, name));
    }
    return result;
  }
  if (!Array.isArray(value) || !Array.isArray(live)) return clone(value);
  const list = listKind(schema);
  if (list.kind === 'atomic') return clone(value);
  if (list.kind === 'set') {
    return [...live, ...value.filter((item) => !live.some((existing) => equal(existing, item)))];
  }
  const items = schema?.['items'];
  const merged = itemsByElement(live, list.keys);
  for (const [element, item] of itemsByElement(value, list.keys)) {
    merged.set(element, merge(merged.get(element), item, isObject(items) ? items : undefined));
  }
  return [...merged.values()];
}

/** Removes a field, and the maps and lists that this leaves empty. Returns whether anything remains in the parent. */
function removePath(node: Json | undefined, elements: readonly string[]): void {
  const [element, ...rest] = elements;
  if (element === undefined) return;
  if (element.startsWith('f:') && isObject(node)) {
    const name = element.slice(2);
    if (rest.length === 0) delete node[name];
    else {
      removePath(node[name], rest);
      if (isEmpty(node[name])) delete node[name];
    }
  } else if (Array.isArray(node)) {
    const index = node.findIndex((item) => matchesElement(item, element));
    if (index < 0) return;
    if (rest.length === 0) node.splice(index, 1);
    else removePath(node[index], rest);
  }
}

function matchesElement(item: Json, element: string): boolean {
  if (element.startsWith('v:')) return encode(item) === element.slice(2);
  const keys = asObject(JSON.parse(element.slice(2)) as Json);
  return isObject(item) && Object.entries(keys).every(([key, value]) => equal(item[key], value));
}

function isEmpty(value: Json | undefined): boolean {
  return (isObject(value) && Object.keys(value).length === 0) || (Array.isArray(value) && asArray(value).length === 0);
}

function fromEntry(entry: ManagedFieldsEntry): Json {
  return entry.fieldsV1;
}

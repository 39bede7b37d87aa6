// Sets of fields, in the notation of metadata.managedFields (fieldsV1): `f:NAME` a member, `k:{…}` an item by its keys,
// `v:…` an item by its value, `.` the thing itself. A path is its elements joined by newlines.
import { asArray, asObject, encode, isObject, type Json, type JsonObject } from './json.ts';
import type { KubeObject } from './object.ts';
import type { Schema } from './resource.ts';
import { listKind, memberSchema } from './structure.ts';

/** Fields of an object with their values; a map or list that is owned besides its members has the value `container`. */
export type Fields = Map<string, Json>;

/** The value of a field that is only there to be there. */
export const container = '\u0000container';

export interface FieldScope {
  readonly schema: Schema | undefined;
  /** Which part belongs to the request: everything but status, status alone, or all. */
  readonly part: 'main' | 'status' | 'all';
  readonly custom: boolean;
}

/** All fields of the object that can have an owner. `leavesOnly` as in server-side apply: maps don't own themselves. */
export function fieldsOf(object: KubeObject, scope: FieldScope, leavesOnly: boolean): Fields {
  const found: Fields = new Map();
  const walker = new Walker(found, leavesOnly);
  if (scope.part !== 'status') collectMetadata(object, walker);
  for (const [name, value] of Object.entries(object)) {
    if (name === 'apiVersion' || name === 'kind' || name === 'metadata' || value === undefined) continue;
    if (scope.part === 'main' && name === 'status') continue;
    // The server itself puts the finalizers into a namespace's spec.
    if (object.kind === 'Namespace') continue;
    if (scope.part === 'status' && name !== 'status') continue;
    const path = `f:${name}`;
    walker.walk(value, memberSchema(scope.schema, name), path);
    // Members of a struct, as spec and status of built-in kinds are, own themselves; the struct does not.
    if (!scope.custom && (name === 'spec' || name === 'status') && found.get(path) === container) found.delete(path);
  }
  return found;
}

function collectMetadata(object: KubeObject, walker: Walker): void {
  const { labels, annotations, finalizers, generateName } = object.metadata;
  const owners = object.metadata['ownerReferences'];
  if (labels !== undefined) walker.walk(labels, undefined, 'f:metadata\nf:labels');
  if (annotations !== undefined) walker.walk(annotations, undefined, 'f:metadata\nf:annotations');
  if (generateName !== undefined) walker.walk(generateName, undefined, 'f:metadata\nf:generateName');
  if (finalizers !== undefined) {
    walker.walk(finalizers, { 'x-kubernetes-list-type': 'set' }, 'f:metadata\nf:finalizers');
  }
  if (owners !== undefined) {
    const byUid = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['uid'] };
    walker.walk(owners, byUid, 'f:metadata\nf:ownerReferences');
  }
}

class Walker {
  readonly #found: Fields;
  readonly #leavesOnly: boolean;

  constructor(found: Fields, leavesOnly: boolean) {
    this.#found = found;
    this.#leavesOnly = leavesOnly;
  }

  walk(value: Json, schema: Schema | undefined, path: string): void {
    if (isObject(value)) this.#object(value, schema, path);
    else if (Array.isArray(value)) this.#array(value, schema, path);
    else this.#found.set(path, value);
  }

  #object(value: JsonObject, schema: Schema | undefined, path: string): void {
    const members = Object.entries(value);
    if (members.length === 0 || schema?.['x-kubernetes-map-type'] === 'atomic') {
      this.#found.set(path, value);
      return;
    }
    if (!this.#leavesOnly) this.#found.set(path, container);
    for (const [name, member] of members) {
      if (member !== undefined) this.walk(member, memberSchema(schema, name), `${path}\nf:${name}`);
    }
  }

  #array(value: Json[], schema: Schema | undefined, path: string): void {
    const list = listKind(schema);
    if (list.kind === 'atomic' || value.length === 0) {
      this.#found.set(path, value);
      return;
    }
    if (!this.#leavesOnly) this.#found.set(path, container);
    const items = schema?.['items'];
    for (const item of value) {
      const element = list.kind === 'set' ? `v:${encode(item)}` : `k:${encode(keysOf(item, list.keys))}`;
      const itemPath = `${path}\n${element}`;
      if (list.kind === 'set') this.#found.set(itemPath, container);
      else {
        this.walk(item, isObject(items) ? items : undefined, itemPath);
        this.#found.set(itemPath, container);
      }
    }
  }
}

/** The members of a list item that identify it. */
function keysOf(item: Json, keys: readonly string[]): JsonObject {
  const source = asObject(item);
  return Object.fromEntries([...keys].sort().flatMap((key) => (source[key] === undefined ? [] : [[key, source[key]]])));
}

/** The set as fieldsV1. */
export function toFieldsV1(paths: Iterable<string>): JsonObject {
  const root: JsonObject = {};
  for (const path of [...paths].sort()) {
    let node = root;
    for (const element of path.split('\n')) {
      const next = asObject(node[element]);
      node[element] = next;
      node = next;
    }
    node['.'] = {};
  }
  return tidy(root);
}

/** A node that is only itself is written `{}`; otherwise `.` stands beside its members. */
function tidy(node: JsonObject): JsonObject {
  const names = Object.keys(node).sort();
  if (names.length === 1 && names[0] === '.') return {};
  return Object.fromEntries(names.map((name) => [name, name === '.' ? {} : tidy(asObject(node[name]))]));
}

/** The reverse of `toFieldsV1`. */
export function fromFieldsV1(tree: JsonObject): Set<string> {
  const paths = new Set<string>();
  const visit = (node: JsonObject, path: string): void => {
    const names = Object.keys(node);
    if (names.length === 0) paths.add(path);
    for (const name of names) {
      if (name === '.') paths.add(path);
      else visit(asObject(node[name]), path === '' ? name : `${path}\n${name}`);
    }
  };
  for (const name of Object.keys(tree)) visit(asObject(tree[name]), name);
  return paths;
}

/** A path as conflicts print it: `.spec.color`, `.spec.listeners[name="http"].port`. */
export function printPath(path: string): string {
  return path
    .split('\n')
    .map((element) => {
      if (element.startsWith('f:')) return `.${element.slice(2)}`;
      if (element.startsWith('v:')) return `[=${element.slice(2)}]`;
      const keys = Object.entries(asObject(JSON.parse(element.slice(2)) as Json));
      return `[${keys.map(([key, value]) => `${key}=${encode(value ?? null)}`).join(',')}]`;
    })
    .join('');
}

/** The items of a list as a map from their path element, for merging. */
export function itemsByElement(value: Json | undefined, keys: readonly string[]): Map<string, Json> {
  return new Map(asArray(value).map((item) => [`k:${encode(keysOf(item, keys))}`, item]));
}

// What a structural schema does to an object before it is validated: unknown fields are pruned, defaults filled in.
import { asArray, asString, clone, isObject, type Json, type JsonObject } from './json.ts';
import type { Schema } from './resource.ts';

/** Removes what the schema does not know, in place, and returns the paths removed. */
export function prune(object: JsonObject, schema: Schema): string[] {
  return pruneObject(object, schema, '', true);
}

/** Fills in defaults, in place. */
export function applyDefaults(object: JsonObject, schema: Schema): void {
  const { properties, additionalProperties } = schema;
  if (isObject(properties)) {
    for (const [name, property] of Object.entries(properties)) {
      if (!isObject(property)) continue;
      if (object[name] === undefined && property['default'] !== undefined) object[name] = clone(property['default']);
      defaultWithin(object[name], property);
    }
  }
  if (isObject(additionalProperties)) {
    for (const value of Object.values(object)) defaultWithin(value, additionalProperties);
  }
}

function defaultWithin(value: Json | undefined, schema: Schema): void {
  if (isObject(value)) applyDefaults(value, schema);
  const { items } = schema;
  if (Array.isArray(value) && isObject(items)) for (const item of value) defaultWithin(item, items);
}

function pruneObject(object: JsonObject, schema: Schema, path: string, root: boolean): string[] {
  const { properties, additionalProperties } = schema;
  const keepsUnknown = schema['x-kubernetes-preserve-unknown-fields'] === true || additionalProperties === true;
  const removed: string[] = [];
  for (const [name, value] of Object.entries(object)) {
    if (root && (name === 'apiVersion' || name === 'kind' || name === 'metadata')) continue;
    const where = path === '' ? name : `${path}.${name}`;
    const property = isObject(properties) ? properties[name] : undefined;
    const memberSchema = property ?? additionalProperties;
    if (isObject(memberSchema)) removed.push(...pruneValue(value, memberSchema, where));
    else if (!keepsUnknown && !isEmbedded(schema)) {
      removed.push(where);
      delete object[name];
    }
  }
  return removed;
}

function pruneValue(value: Json | undefined, schema: Schema, path: string): string[] {
  if (isObject(value)) return pruneObject(value, schema, path, isEmbedded(schema));
  const { items } = schema;
  if (!Array.isArray(value) || !isObject(items)) return [];
  return value.flatMap((item, index) => pruneValue(item, items, `${path}[${index}]`));
}

function isEmbedded(schema: Schema): boolean {
  return schema['x-kubernetes-embedded-resource'] === true;
}

/** The schema of one member, where it has one. */
export function memberSchema(schema: Schema | undefined, name: string): Schema | undefined {
  if (schema === undefined) return undefined;
  const { properties, additionalProperties } = schema;
  const property = isObject(properties) ? properties[name] : undefined;
  if (isObject(property)) return property;
  return isObject(additionalProperties) ? additionalProperties : undefined;
}

/** How a list is merged and owned: whole, by value, or by keys. */
export type ListKind = { kind: 'atomic' } | { kind: 'set' } | { kind: 'map'; keys: string[] };

export function listKind(schema: Schema | undefined): ListKind {
  if (schema?.['x-kubernetes-list-type'] === 'set') return { kind: 'set' };
  if (schema?.['x-kubernetes-list-type'] === 'map') {
    return { kind: 'map', keys: asArray(schema['x-kubernetes-list-map-keys']).map(asString) };
  }
  return { kind: 'atomic' };
}

// The shape of a Kubernetes object, and the two orders in which servers write its keys: custom resources are maps
// (sorted), built-in kinds are structs (kind, apiVersion, metadata with the name first).
import { encode, type Json, type JsonObject, sorted } from './json.ts';

export type ManagedFieldsEntry = {
  manager: string;
  operation: string;
  apiVersion: string;
  time: string;
  fieldsType: string;
  fieldsV1: JsonObject;
  subresource?: string;
};

export type ObjectMeta = {
  name: string;
  generateName?: string;
  namespace?: string;
  uid: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  managedFields?: ManagedFieldsEntry[];
  [key: string]: Json | undefined;
};

export type KubeObject = {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [key: string]: Json | undefined;
};

/** One immutable state of one object as it is stored. It holds text: parse only what is needed, when it is needed. */
export interface ObjectVersion {
  /** `NAMESPACE/NAME`, or `NAME` for cluster-scoped objects: etcd's order of a collection is the order of these. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** resourceVersion as a number. */
  readonly revision: number;
  readonly labels: Readonly<Record<string, string>>;
  /** The object in its storage version, keys in the order of its kind, no newline. */
  readonly text: string;
}

const metadataOrder = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
];
const managedFieldsOrder = ['manager', 'operation', 'apiVersion', 'time', 'fieldsType', 'fieldsV1', 'subresource'];

export function objectKey(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

/** Order of UTF-8 bytes, which for ASCII (nearly every name) is that of JavaScript strings. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  if (!/[^ -~]/.test(a) && !/[^ -~]/.test(b)) return a < b ? -1 : 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The object's stored form. `custom` decides the order of keys. */
export function toVersion(object: KubeObject, custom: boolean): ObjectVersion {
  const { metadata } = object;
  const namespace = metadata.namespace ?? '';
  return {
    key: objectKey(namespace, metadata.name),
    namespace,
    name: metadata.name,
    uid: metadata.uid,
    revision: Number(metadata.resourceVersion ?? 0),
    labels: metadata.labels ?? {},
    text: encodeObject(object, custom),
  };
}

export function fromText(text: string): ObjectVersion {
  const { metadata } = JSON.parse(text) as KubeObject;
  const namespace = metadata.namespace ?? '';
  return {
    key: objectKey(namespace, metadata.name),
    namespace,
    name: metadata.name,
    uid: metadata.uid,
    revision: Number(metadata.resourceVersion ?? 0),
    labels: metadata.labels ?? {},
    text,
  };
}

/** A fresh, mutable parse of the object. */
export function parseVersion(version: ObjectVersion): KubeObject {
  return JSON.parse(version.text) as KubeObject;
}

/** The same state under another resourceVersion, as DELETED events carry it. */
export function withRevision(version: ObjectVersion, revision: number, custom: boolean): ObjectVersion {
  const object = parseVersion(version);
  object.metadata.resourceVersion = String(revision);
  return { ...version, revision, text: encodeObject(object, custom) };
}

function encodeObject(object: KubeObject, custom: boolean): string {
  return encode(custom ? sorted(object) : typedOrder(object));
}

/** Metadata as a struct is written, managedFields included. */
export function typedMetadata(metadata: JsonObject): JsonObject {
  const result = ordered(metadata, metadataOrder);
  for (const map of ['labels', 'annotations']) if (result[map] !== undefined) result[map] = sorted(result[map]);
  const entries = metadata['managedFields'];
  if (Array.isArray(entries)) {
    result['managedFields'] = entries.map((entry) => ordered(entry as JsonObject, managedFieldsOrder));
  }
  return result;
}

function typedOrder(object: KubeObject): JsonObject {
  const { kind, apiVersion, metadata, ...rest } = object;
  for (const map of ['data', 'binaryData']) if (rest[map] !== undefined) rest[map] = sorted(rest[map]);
  return { kind, apiVersion, metadata: typedMetadata(metadata), ...rest };
}

function ordered(value: JsonObject, order: readonly string[]): JsonObject {
  const result: JsonObject = {};
  for (const key of order) if (value[key] !== undefined) result[key] = value[key];
  for (const key of Object.keys(value).sort())
    if (!(key in result) && value[key] !== undefined) result[key] = value[key];
  return result;
}

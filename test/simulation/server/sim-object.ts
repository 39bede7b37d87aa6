// Objects as API servers spell them. Custom resources come with sorted keys, built-in ones in the order of Go's structs
// (recordings 20-list/full and 20-list/core-namespaces-items-without-kind).
import { formatGroupResource, type GroupResource } from '../../../lib/model/resource.ts';

/** A resource that a simulated cluster has. */
export interface SimResource extends GroupResource {
  readonly kind: string;
  readonly namespaced: boolean;
  /** Served at the start, the preferred one first. */
  readonly versions: readonly string[];
  /** `custom`: a CRD defines it. `aggregated`: an API server behind an APIService has it. */
  readonly origin: 'custom' | 'built-in' | 'aggregated';
}

/** One state of one object. */
export interface SimObject {
  readonly resource: SimResource;
  /** '' for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly rv: number;
  readonly generation: number;
  /** RFC 3339. */
  readonly created: string;
  readonly deleting?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** JSON of metadata.managedFields; '' where there is none. */
  readonly managed: string;
  /** What follows metadata: `"spec":{…}`. */
  readonly body: string;
  /** Of a CustomResourceDefinition: the versions that it serves. */
  readonly served?: readonly string[];
}

/** `NAMESPACE/NAME`; `/NAME` for cluster-scoped objects. */
export function keyOf({ namespace, name }: Pick<SimObject, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

/** `widgets.example.com`: what tables are named by. */
export const nameOf: (resource: GroupResource) => string = formatGroupResource;

/** `example.com/v1`; for the core group just the version. */
export function groupVersion({ group }: GroupResource, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

/** The object as JSON. `rv` differs from the object's own where it left a selector. */
export function objectText(object: SimObject, version: string, managed = true, rv = object.rv): string {
  const { resource, body } = object;
  const type = groupVersion(resource, version);
  return resource.origin === 'built-in'
    ? `{"kind":"${resource.kind}","apiVersion":"${type}","metadata":${structMetadata(object, managed, rv)},${body}}`
    : `{"apiVersion":"${type}","kind":"${resource.kind}","metadata":${sortedMetadata(object, managed, rv)},${body}}`;
}

/** An item of a list: built-in ones do not say what they are. */
export function itemText(object: SimObject, version: string): string {
  return object.resource.origin === 'built-in'
    ? `{"metadata":${structMetadata(object, true, object.rv)},${object.body}}`
    : objectText(object, version);
}

/** The object as PartialObjectMetadata (recording 20-list/get-one-metadata-only). */
export function metadataText(object: SimObject, rv = object.rv): string {
  return `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":${structMetadata(object, true, rv)}}`;
}

function structMetadata(object: SimObject, managed: boolean, rv: number): string {
  const { name, namespace, uid, generation, created, deleting } = object;
  const within = namespace === '' ? '' : `,"namespace":"${namespace}"`;
  const generations = generation === 0 ? '' : `,"generation":${generation}`;
  const deletion = deleting === undefined ? '' : `,"deletionTimestamp":"${deleting}","deletionGracePeriodSeconds":0`;
  const labels = hasLabels(object) ? `,"labels":${JSON.stringify(object.labels)}` : '';
  const finalizers = deleting === undefined ? '' : ',"finalizers":["example.com/hold"]';
  const managers = managed && object.managed !== '' ? `,"managedFields":${object.managed}` : '';
  return `{"name":"${name}"${within},"uid":"${uid}","resourceVersion":"${rv}"${generations},"creationTimestamp":"${created}"${deletion}${labels}${finalizers}${managers}}`;
}

function sortedMetadata(object: SimObject, managed: boolean, rv: number): string {
  const { name, namespace, uid, generation, created, deleting } = object;
  const deletion =
    deleting === undefined
      ? ''
      : `,"deletionGracePeriodSeconds":0,"deletionTimestamp":"${deleting}","finalizers":["example.com/hold"]`;
  const labels = hasLabels(object) ? `,"labels":${JSON.stringify(object.labels)}` : '';
  const managers = managed && object.managed !== '' ? `,"managedFields":${object.managed}` : '';
  const within = namespace === '' ? '' : `,"namespace":"${namespace}"`;
  return `{"creationTimestamp":"${created}"${deletion},"generation":${generation}${labels}${managers},"name":"${name}"${within},"resourceVersion":"${rv}","uid":"${uid}"}`;
}

function hasLabels({ labels }: SimObject): boolean {
  for (const _ in labels) return true;
  return false;
}

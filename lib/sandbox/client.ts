// Reads and writes in this process, without a socket: what the sandbox's own workload and tests use. The same code
// serves requests, so validation, events and resourceVersions are the same.
import type { Cluster } from './cluster.ts';
import { createObject } from './create.ts';
import { deleteObject } from './delete.ts';
import type { Json, JsonObject } from './json.ts';
import { type KubeObject, type ObjectVersion, objectKey, parseVersion } from './object.ts';
import { applyObject, patchObject } from './patch-object.ts';
import { type Resource, storageVersion } from './resource.ts';
import { existing, replaceObject } from './update.ts';
import type { Target, WriteOptions } from './write-options.ts';

/** Names an object, or with name '' a collection. */
export interface ObjectRef {
  /** '' for core resources. */
  readonly group: string;
  readonly plural: string;
  readonly namespace?: string;
  readonly name?: string;
}

export class Client {
  readonly #cluster: Cluster;
  readonly #options: WriteOptions;

  constructor(cluster: Cluster, manager = 'sandbox') {
    this.#cluster = cluster;
    this.#options = { manager, dryRun: false, fieldValidation: 'Strict', force: true };
  }

  /** The same cluster, written to under another field manager's name. */
  as(manager: string): Client {
    return new Client(this.#cluster, manager);
  }

  /** The store's present resourceVersion. */
  get resourceVersion(): number {
    return this.#cluster.store.revision;
  }

  get(ref: ObjectRef): KubeObject | undefined {
    const { resource, namespace, name } = this.#target(ref);
    const found = this.#cluster.collection(resource).get(objectKey(namespace, name));
    return found === undefined ? undefined : parseVersion(found);
  }

  /** All objects of a resource in key order. */
  list(ref: ObjectRef): KubeObject[] {
    return this.#versions(ref).map(parseVersion);
  }

  /** The stored state, unparsed. Throws ApiError, as all writes do. */
  create(ref: ObjectRef, object: JsonObject): ObjectVersion {
    return createObject(this.#cluster, this.#target(ref), object, this.#options).object;
  }

  replace(ref: ObjectRef, object: KubeObject): ObjectVersion {
    return replaceObject(this.#cluster, this.#target(ref), object, this.#options).object;
  }

  /** A merge patch; `subresource` 'status' for status. */
  patch(ref: ObjectRef, patch: Json, subresource: '' | 'status' = ''): ObjectVersion {
    const target = { ...this.#target(ref), subresource };
    return patchObject(this.#cluster, target, 'merge', patch, this.#options).object;
  }

  apply(ref: ObjectRef, config: JsonObject): ObjectVersion {
    const target = this.#target(ref);
    return applyObject(this.#cluster, target, config, this.#options, this.#options.manager).object;
  }

  delete(ref: ObjectRef): void {
    deleteObject(this.#cluster, this.#target(ref), null, false);
  }

  has(ref: ObjectRef): boolean {
    const target = this.#target(ref);
    return this.#cluster.collection(target.resource).get(objectKey(target.namespace, target.name)) !== undefined;
  }

  /** Whether the resource is served yet. */
  serves(group: string, plural: string): boolean {
    return this.#cluster.registry.get(`${group}/${plural}`) !== undefined;
  }

  /** What is served now. */
  resources(): readonly Resource[] {
    return this.#cluster.registry.all();
  }

  /** The stored state as text, for comparison object by object. Throws ApiError 404. */
  text(ref: ObjectRef): string {
    return existing(this.#cluster, this.#target(ref)).text;
  }

  #versions(ref: ObjectRef): readonly ObjectVersion[] {
    const { resource, namespace } = this.#target(ref);
    const all = this.#cluster.collection(resource).current();
    return namespace === '' ? all : all.filter((object) => object.namespace === namespace);
  }

  #target({ group, plural, namespace = '', name = '' }: ObjectRef): Target {
    const resource = this.#cluster.registry.get(`${group}/${plural}`);
    if (resource === undefined) throw new Error(`The sandbox does not serve ${plural} of group "${group}".`);
    const served = this.#cluster.registry.find(group, storageVersion(resource), plural);
    if (served === undefined) throw new Error(`The storage version of ${plural}.${group} is not served.`);
    return { ...served, namespace, name, subresource: '' };
  }
}

// The database: one counter of resourceVersions per cluster, one collection per resource. Each write is one step of the
// counter, is journalled before anyone hears of it, and makes one event.
import { Collection } from './collection.ts';
import type { StoreEvent } from './history.ts';
import { type KubeObject, type ObjectVersion, toVersion, withRevision } from './object.ts';
import { failure } from './status.ts';

/** Where writes are made durable. `append` is called before a write is visible; it throws where it fails. */
export interface Journal {
  append(collection: string, event: StoreEvent): void;
  compact(collection: string, revision: number): void;
  /** The collection and all of its history are gone. */
  remove(collection: string): void;
  /** Replace everything by this state. */
  restore(snapshot: Snapshot): void;
}

/** A backup: every object at one resourceVersion. */
export interface Snapshot {
  readonly revision: number;
  readonly collections: ReadonlyMap<string, { readonly custom: boolean; readonly objects: readonly ObjectVersion[] }>;
}

export interface StoreOptions {
  /** Events kept per resource. Default 10,000. */
  readonly historyLimit?: number;
  readonly journal?: Journal;
}

/** etcd's limit of a request: 1.5 MiB. */
const largestObject = 1_572_864;

export class Store {
  revision = 0;
  readonly collections = new Map<string, Collection>();
  readonly #historyLimit: number;
  readonly #journal: Journal | undefined;

  constructor({ historyLimit = 10_000, journal }: StoreOptions = {}) {
    this.#historyLimit = historyLimit;
    this.#journal = journal;
  }

  /** The collection of a resource; a new one starts at the present resourceVersion. */
  collection(id: string, custom: boolean): Collection {
    let found = this.collections.get(id);
    if (found === undefined) {
      found = new Collection(id, custom, this.revision, this.#historyLimit);
      this.collections.set(id, found);
    }
    return found;
  }

  /** Creates or replaces the object under a new resourceVersion, which is written into it. Throws 500 for one too large. */
  put(collection: Collection, object: KubeObject): ObjectVersion {
    const revision = this.revision + 1;
    object.metadata.resourceVersion = String(revision);
    const version = toVersion(object, collection.custom);
    if (version.text.length > largestObject) throw failure(500, undefined, 'etcdserver: request is too large');
    const previous = collection.get(version.key);
    const event: StoreEvent =
      previous === undefined
        ? { type: 'ADDED', revision, object: version }
        : { type: 'MODIFIED', revision, object: version, previous };
    this.#commit(collection, event);
    return version;
  }

  /** Removes the object; its DELETED event carries the last state under the deletion's resourceVersion. */
  remove(collection: Collection, previous: ObjectVersion): ObjectVersion {
    const revision = this.revision + 1;
    const object = withRevision(previous, revision, collection.custom);
    this.#commit(collection, { type: 'DELETED', revision, object, previous });
    return object;
  }

  /** Forgets all history up to `revision` (default: now), of all resources. */
  compact(revision = this.revision): void {
    for (const collection of this.collections.values()) {
      collection.compact(revision);
      this.#journal?.compact(collection.id, revision);
    }
  }

  /** Drops a resource whose definition is gone. */
  drop(id: string): void {
    this.collections.delete(id);
    this.#journal?.remove(id);
  }

  /** A backup of the present, or of an earlier resourceVersion that history still reaches. */
  snapshot(revision = this.revision): Snapshot {
    const collections = new Map<string, { custom: boolean; objects: readonly ObjectVersion[] }>();
    for (const collection of this.collections.values()) {
      const { id, custom } = collection;
      const objects = collection.at(revision);
      if (objects === undefined) {
        throw new Error(
          `Cannot go back to resourceVersion ${revision} of ${id}: its history is compacted; take a snapshot earlier.`,
        );
      }
      collections.set(id, { custom, objects });
    }
    return { revision, collections };
  }

  /** Restores a backup: the counter goes back too, as with an etcd restored from a snapshot. */
  restore(snapshot: Snapshot): void {
    this.#journal?.restore(snapshot);
    this.revision = snapshot.revision;
    for (const [id, { custom }] of snapshot.collections) this.collection(id, custom);
    for (const collection of this.collections.values()) {
      collection.restore(snapshot.collections.get(collection.id)?.objects ?? [], snapshot.revision);
    }
  }

  #commit(collection: Collection, event: StoreEvent): void {
    this.#journal?.append(collection.id, event);
    this.revision = event.revision;
    collection.record(event);
  }
}

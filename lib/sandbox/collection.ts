// All objects of one resource: current states, states at an earlier resourceVersion, and who wants to hear of changes.
import { History, type StoreEvent } from './history.ts';
import { compareKeys, type ObjectVersion } from './object.ts';

/** Snapshots kept for lists that are being paged through. */
const keptSnapshots = 8;

export class Collection {
  /** `GROUP/PLURAL`. */
  readonly id: string;
  /** Order of keys in its objects' JSON: sorted for custom resources, struct order for built-in kinds. */
  readonly custom: boolean;
  readonly history: History;
  /** A watch from before this resourceVersion is answered 410. */
  watchFloor: number;
  /** The newest resourceVersion that this resource's watch cache knows of: what bookmarks say. */
  known: number;
  /** Called after each event, synchronously; must not throw. */
  readonly listeners = new Set<() => void>();
  /** One per open watch: ends it cleanly. */
  readonly watches = new Set<() => void>();
  readonly #objects = new Map<string, ObjectVersion>();
  readonly #snapshots = new Map<number, readonly ObjectVersion[]>();
  #sorted: readonly ObjectVersion[] | undefined;

  constructor(id: string, custom: boolean, revision: number, historyLimit: number) {
    this.id = id;
    this.custom = custom;
    this.history = new History(revision, historyLimit);
    this.watchFloor = revision;
    this.known = revision;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): ObjectVersion | undefined {
    return this.#objects.get(key);
  }

  /** All current objects in key order. */
  current(): readonly ObjectVersion[] {
    this.#sorted ??= [...this.#objects.values()].sort((a, b) => compareKeys(a.key, b.key));
    return this.#sorted;
  }

  /** All objects as they were at `revision`, in key order; undefined where that has been compacted away. */
  at(revision: number): readonly ObjectVersion[] | undefined {
    const kept = this.#snapshots.get(revision);
    if (kept !== undefined) return kept;
    if (revision < this.history.floor) return undefined;
    const snapshot = this.#undo(revision);
    this.#snapshots.set(revision, snapshot);
    for (const old of this.#snapshots.keys()) {
      if (this.#snapshots.size <= keptSnapshots) break;
      this.#snapshots.delete(old);
    }
    return snapshot;
  }

  record(event: StoreEvent): void {
    if (event.type === 'DELETED') this.#objects.delete(event.object.key);
    else this.#objects.set(event.object.key, event.object);
    this.#sorted = undefined;
    this.known = event.revision;
    this.history.append(event);
    for (const listener of this.listeners) listener();
  }

  /** Puts a stored object in place without an event: loading from disk. */
  load(object: ObjectVersion): void {
    this.#objects.set(object.key, object);
    this.#sorted = undefined;
  }

  /** Forgets history up to `revision`: continue tokens and watches from before it expire. */
  compact(revision: number): void {
    this.history.compact(revision);
    this.watchFloor = Math.max(this.watchFloor, this.history.floor);
    this.#snapshots.clear();
  }

  /** Replaces everything by an earlier state; later history is gone. */
  restore(objects: readonly ObjectVersion[], revision: number): void {
    this.#objects.clear();
    for (const object of objects) this.#objects.set(object.key, object);
    this.#sorted = undefined;
    this.#snapshots.clear();
    this.history.rewind(revision);
    this.watchFloor = revision;
    this.known = revision;
  }

  #undo(revision: number): readonly ObjectVersion[] {
    const events = [...this.history.backwards(revision)];
    if (events.length === 0) return this.current();
    const objects = new Map(this.#objects);
    for (const { object, previous } of events) {
      if (previous === undefined) objects.delete(object.key);
      else objects.set(object.key, previous);
    }
    return [...objects.values()].sort((a, b) => compareKeys(a.key, b.key));
  }
}

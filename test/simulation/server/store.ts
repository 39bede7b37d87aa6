// The data of a cluster, as etcd has it: one counter for all resources, every write an event, and a timeline that a restore
// from a backup cuts off (KUBERNETES: resourceVersion is etcd's revision, cluster-wide).
import { keyOf, nameOf, type SimObject, type SimResource } from './sim-object.ts';

export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** The state written; for DELETED the last one, with the deletion's rv. */
  readonly object: SimObject;
  readonly previous?: SimObject;
}

/** The objects and the timeline of one resource. */
export interface Table {
  readonly resource: SimResource;
  readonly objects: Map<string, SimObject>;
  /** In the order of their rv, which only grows. */
  readonly events: StoreEvent[];
}

/** A write that happened, whether or not a restore undid it. */
export interface Written extends StoreEvent {
  readonly resource: SimResource;
  /** One more with each restore, from 1. */
  readonly life: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** etcd tells the API server how far it is this often, milliseconds (KUBERNETES: 5 s on kubeadm). */
const PROGRESS_MS = 5_000;

export class Store {
  rv: number;
  /** No backup is older. */
  first: number;
  life = 1;
  /** Lists as of an older one are refused. */
  compacted = 0;
  readonly written: Written[] = [];
  readonly tables = new Map<string, Table>();
  /** `widgets.example.com RV`: the last life in which that was listed. */
  readonly #listed = new Map<string, number>();
  /** Told after each write. */
  onWrite: (table: Table, event: StoreEvent) => void = () => {};
  readonly #now: () => number;
  #tick = 0;
  #rvAtTick = 0;

  constructor(rv: number, now: () => number) {
    this.rv = rv;
    this.first = rv;
    this.compacted = rv;
    this.#now = now;
    this.#rvAtTick = rv;
  }

  addTable(resource: SimResource): Table {
    const table: Table = { resource, objects: new Map(), events: [] };
    this.tables.set(nameOf(resource), table);
    return table;
  }

  /** Creates or updates: the object's rv becomes the next one. */
  put(table: Table, object: Omit<SimObject, 'rv'>): SimObject {
    const written: SimObject = { ...object, rv: this.skip() };
    const key = keyOf(written);
    const previous = table.objects.get(key);
    table.objects.set(key, written);
    this.#append(
      table,
      previous === undefined ? { type: 'ADDED', object: written } : { type: 'MODIFIED', object: written, previous },
    );
    return written;
  }

  remove(table: Table, object: SimObject): void {
    table.objects.delete(keyOf(object));
    this.#append(table, { type: 'DELETED', object: { ...object, rv: this.skip() }, previous: object });
  }

  /** A write to what nobody here looks at: resourceVersions have gaps. Returns the new rv. */
  skip(): number {
    const tick = Math.floor(this.#now() / PROGRESS_MS);
    if (tick !== this.#tick) {
      this.#tick = tick;
      this.#rvAtTick = this.rv;
    }
    this.rv += 1;
    return this.rv;
  }

  /** What a quiet watch cache knows the rv to be. */
  get progress(): number {
    return Math.floor(this.#now() / PROGRESS_MS) === this.#tick ? this.#rvAtTick : this.rv;
  }

  /** A list was answered, or a page of one. */
  noteList(table: Table, rv: number): void {
    this.#listed.set(`${nameOf(table.resource)} ${rv}`, this.life);
  }

  /** The last life in which the resource (`widgets.example.com`) was listed as of this rv. */
  listedIn(name: string, rv: string): number | undefined {
    return this.#listed.get(`${name} ${rv}`);
  }

  /** All objects as of an rv of this timeline, by key. */
  at(table: Table, rv: number): Map<string, SimObject> {
    const objects = new Map(table.objects);
    for (let index = table.events.length - 1; index >= 0; index -= 1) {
      const { object, previous } = table.events[index] as StoreEvent;
      if (object.rv <= rv) break;
      if (previous === undefined) objects.delete(keyOf(object));
      else objects.set(keyOf(object), previous);
    }
    return objects;
  }

  /** Everything is as it was at `rv`, and counts on from there. Returns what was undone, in order. */
  restore(rv: number): readonly (StoreEvent & { readonly table: Table })[] {
    const undone: (StoreEvent & { readonly table: Table })[] = [];
    for (const table of this.tables.values()) {
      const objects = this.at(table, rv);
      const from = table.events.findIndex(({ object }) => object.rv > rv);
      if (from < 0) continue;
      for (const event of table.events.splice(from)) undone.push({ ...event, table });
      table.objects.clear();
      for (const [key, object] of objects) table.objects.set(key, object);
    }
    this.rv = rv;
    this.life += 1;
    this.compacted = Math.min(this.compacted, rv);
    this.#rvAtTick = rv;
    return undone.sort((a, b) => a.object.rv - b.object.rv);
  }

  #append(table: Table, event: StoreEvent): void {
    table.events.push(event);
    this.written.push({ ...event, resource: table.resource, life: this.life, at: this.#now() });
    this.onWrite(table, event);
  }
}

/** In the order of etcd's keys. Keys here are ASCII, so JavaScript's order is that of their bytes. */
export function inKeyOrder(objects: ReadonlyMap<string, SimObject>): readonly (readonly [string, SimObject])[] {
  return [...objects].sort(([a], [b]) => (a < b ? -1 : 1));
}

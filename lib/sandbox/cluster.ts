// One cluster's state: its store, what it serves, and the few things that writes need from outside.
import { randomUUID } from 'node:crypto';
import { builtins } from './builtin.ts';
import type { Collection } from './collection.ts';
import { Registry } from './registry.ts';
import { type Resource, resourceId } from './resource.ts';
import type { Store } from './store.ts';

/** Delays of the server's own controllers, in milliseconds, as recorded from a real one or shorter. */
export interface Timings {
  /** From a CRD's creation to NamesAccepted. Default 5. */
  readonly namesAccepted: number;
  /** From there to Established. Default 20. */
  readonly established: number;
  /** From a CRD's change to the end of its watches. Default 250 (recorded: 700 to 1200). */
  readonly crdChanged: number;
  /** From a CRD's deletion to that of its objects. Default 30. */
  readonly crdDeleted: number;
  /** From a namespace's deletion to that of its contents. Default 100 (recorded: 7000). */
  readonly namespaceDeleted: number;
}

const defaultTimings: Timings = {
  namesAccepted: 5,
  established: 20,
  crdChanged: 250,
  crdDeleted: 30,
  namespaceDeleted: 100,
};

export class Cluster {
  readonly store: Store;
  readonly registry = new Registry();
  readonly timings: Timings;
  readonly #now: () => number;
  readonly #uid: () => string;

  constructor(
    store: Store,
    timings: Partial<Timings> = {},
    now: () => number = Date.now,
    uid: () => string = randomUUID,
  ) {
    this.store = store;
    this.timings = { ...defaultTimings, ...timings };
    this.#now = now;
    this.#uid = uid;
    for (const resource of builtins) this.registry.set(resource);
  }

  collection(resource: Resource): Collection {
    return this.store.collection(resourceId(resource), resource.custom);
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#now();
  }

  uid(): string {
    return this.#uid();
  }
}

/** RFC 3339 with whole seconds, as metadata has it. */
export function timestamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

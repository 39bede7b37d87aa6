// The controller of CustomResourceDefinitions: accepts their names, establishes them, ends watches when they change,
// and removes their objects before it lets a deleted one go.
import { customResourceDefinitions } from './builtin.ts';
import { type Cluster, timestamp } from './cluster.ts';
import { type Collection } from './collection.ts';
import { asArray, asObject, asString, equal, type Json, type JsonObject } from './json.ts';
import { entryOf } from './managed-fields.ts';
import { type KubeObject, parseVersion } from './object.ts';
import { resourceId, resourceOf } from './resource.ts';
import type { Timers } from './timers.ts';

export interface DefinitionsController {
  /** After a backup was restored: serves what is defined now, and nothing else. */
  resync(): void;
  stop(): void;
}

/** Takes up every definition in the store and follows their changes from now on. */
export function startDefinitions(cluster: Cluster, timers: Timers): DefinitionsController {
  const collection = cluster.collection(customResourceDefinitions);
  const controller = new Definitions(cluster, collection, timers);
  controller.takeAll();
  let position = collection.history.end;
  const listener = (): void => {
    for (; position < collection.history.end; position++) {
      const event = collection.history.at(position);
      if (event === undefined || event.type === 'DELETED') continue;
      const before = event.previous === undefined ? undefined : parseVersion(event.previous);
      controller.changed(before, parseVersion(event.object));
    }
  };
  collection.listeners.add(listener);
  return { resync: () => controller.takeAll(), stop: () => void collection.listeners.delete(listener) };
}

class Definitions {
  readonly #cluster: Cluster;
  readonly #collection: Collection;
  readonly #timers: Timers;

  constructor(cluster: Cluster, collection: Collection, timers: Timers) {
    this.#cluster = cluster;
    this.#collection = collection;
    this.#timers = timers;
  }

  takeAll(): void {
    const { registry, store } = this.#cluster;
    for (const resource of registry.all()) {
      const { custom, plural, group } = resource;
      if (!custom || this.#collection.get(`${plural}.${group}`) !== undefined) continue;
      registry.delete(resourceId(resource));
      store.drop(resourceId(resource));
    }
    for (const definition of this.#collection.current()) this.#take(parseVersion(definition));
  }

  /** A definition as it is found at start. */
  #take(definition: KubeObject): void {
    if (isEstablished(definition)) this.#serve(definition);
    else this.#acceptNames(definition);
    if (definition.metadata.deletionTimestamp !== undefined) this.#terminate(definition);
  }

  changed(before: KubeObject | undefined, after: KubeObject): void {
    if (before === undefined) {
      this.#acceptNames(after);
    } else if (before.metadata.deletionTimestamp === undefined && after.metadata.deletionTimestamp !== undefined) {
      this.#serve(after);
      this.#terminate(after);
    } else if (isEstablished(after)) {
      this.#serve(after);
      if (!equal(before['spec'], after['spec'])) this.#endWatches(after);
    }
  }

  #serve(definition: KubeObject): void {
    const resource = resourceOf(definition);
    this.#cluster.registry.set(resource);
    this.#cluster.collection(resource);
  }

  #acceptNames({ metadata: { name } }: KubeObject): void {
    const { namesAccepted, established } = this.#cluster.timings;
    this.#timers.after(namesAccepted, () => {
      this.#setConditions(name, [accepted, pending]);
      this.#timers.after(established, () => this.#setConditions(name, [accepted, ready]));
    });
  }

  /** Open watches end a while after the change; a watch from before it finds no history. */
  #endWatches(definition: KubeObject): void {
    const collection = this.#cluster.collection(resourceOf(definition));
    const open = [...collection.watches];
    collection.watchFloor = this.#cluster.store.revision;
    this.#timers.after(this.#cluster.timings.crdChanged, () => {
      for (const end of open) end();
    });
  }

  #terminate(definition: KubeObject): void {
    const { name } = definition.metadata;
    const { crdDeleted, crdChanged } = this.#cluster.timings;
    const resource = resourceOf(definition);
    const collection = this.#cluster.collection(resource);
    this.#timers.after(crdDeleted, () => {
      this.#setConditions(name, [accepted, ready, terminating]);
      for (const object of collection.current()) this.#cluster.store.remove(collection, object);
      const open = [...collection.watches];
      this.#timers.after(crdChanged, () => {
        for (const end of open) end();
      });
      this.#cluster.registry.delete(resourceId(resource));
      const live = this.#collection.get(name);
      if (live !== undefined) this.#cluster.store.remove(this.#collection, live);
      this.#cluster.store.drop(resourceId(resource));
    });
  }

  #setConditions(name: string, conditions: readonly Condition[]): void {
    const live = this.#collection.get(name);
    if (live === undefined) return;
    const definition = parseVersion(live);
    const time = timestamp(this.#cluster.now());
    const names = asObject(asObject(definition['spec'])['names']);
    const status = asObject(definition['status']);
    definition['status'] = {
      conditions: conditions.map((condition) => ({ lastTransitionTime: time, ...condition })),
      acceptedNames: names,
      storedVersions: status['storedVersions'] ?? [],
    };
    const entries = definition.metadata.managedFields ?? [];
    const writer = { manager: 'kube-apiserver', operation: 'Update', subresource: 'status', time } as const;
    definition.metadata.managedFields = [
      entryOf('apiextensions.k8s.io/v1', writer, statusFields(names)),
      ...entries.filter(({ manager, subresource }) => manager !== writer.manager || subresource !== 'status'),
    ];
    this.#cluster.store.put(this.#collection, definition);
  }
}

type Condition = { type: string; status: string; reason: string; message: string };

const accepted: Condition = {
  type: 'NamesAccepted',
  status: 'True',
  reason: 'NoConflicts',
  message: 'no conflicts found',
};
const pending: Condition = {
  type: 'Established',
  status: 'False',
  reason: 'Installing',
  message: 'the initial names have been accepted',
};
const ready: Condition = {
  type: 'Established',
  status: 'True',
  reason: 'InitialNamesAccepted',
  message: 'the initial names have been accepted',
};
const terminating: Condition = {
  type: 'Terminating',
  status: 'True',
  reason: 'InstanceDeletionInProgress',
  message: 'CustomResource deletion is in progress',
};

function isEstablished(definition: KubeObject): boolean {
  return asArray(asObject(definition['status'])['conditions']).some((condition) => {
    const { type, status } = asObject(condition);
    return type === 'Established' && status === 'True';
  });
}

function statusFields(names: JsonObject): string[] {
  const conditions = ['Established', 'NamesAccepted'].flatMap((type) => {
    const path = `f:status\nf:conditions\nk:${JSON.stringify({ type })}`;
    return [
      path,
      ...['lastTransitionTime', 'message', 'reason', 'status', 'type'].map((field) => `${path}\nf:${field}`),
    ];
  });
  const own = Object.entries(names)
    .filter(([, value]: [string, Json | undefined]) => asString(value) !== '' || asArray(value).length > 0)
    .map(([name]) => `f:status\nf:acceptedNames\nf:${name}`);
  return [...own, ...conditions];
}

// The controller of namespaces: gives each its default ServiceAccount, and empties one that is being deleted.
import { namespaces, serviceAccounts } from './builtin.ts';
import type { Cluster } from './cluster.ts';
import { createObject } from './create.ts';
import { deleteObject } from './delete.ts';
import { parseVersion } from './object.ts';
import type { Resource } from './resource.ts';
import type { Timers } from './timers.ts';
import type { Target } from './write-options.ts';

const options = { manager: 'kube-controller-manager', dryRun: false, fieldValidation: 'Ignore', force: false } as const;

/** Follows namespaces from now on. Returns how to stop. */
export function startNamespaces(cluster: Cluster, timers: Timers): () => void {
  const collection = cluster.collection(namespaces);
  for (const live of collection.current()) {
    if (parseVersion(live).metadata.deletionTimestamp !== undefined) emptyLater(cluster, timers, live.name);
  }
  let position = collection.history.end;
  const listener = (): void => {
    for (; position < collection.history.end; position++) {
      const event = collection.history.at(position);
      if (event === undefined) continue;
      if (event.type === 'ADDED') addServiceAccount(cluster, event.object.name);
      const deleting = (text: string | undefined): boolean => text?.includes('"deletionTimestamp"') ?? false;
      if (event.type === 'MODIFIED' && deleting(event.object.text) && !deleting(event.previous?.text)) {
        emptyLater(cluster, timers, event.object.name);
      }
    }
  };
  collection.listeners.add(listener);
  return () => collection.listeners.delete(listener);
}

/** The namespaces of a new cluster. */
export function createSystemNamespaces(cluster: Cluster): void {
  for (const name of ['kube-system', 'default', 'kube-public', 'kube-node-lease']) {
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    createObject(cluster, targetOf(namespaces, '', ''), body, { ...options, manager: 'kube-apiserver' });
    addServiceAccount(cluster, name);
  }
}

function addServiceAccount(cluster: Cluster, namespace: string): void {
  if (cluster.collection(serviceAccounts).get(`${namespace}/default`) !== undefined) return;
  const body = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } };
  createObject(cluster, targetOf(serviceAccounts, namespace, ''), body, options);
}

function emptyLater(cluster: Cluster, timers: Timers, namespace: string): void {
  timers.after(cluster.timings.namespaceDeleted, () => {
    let held = false;
    for (const resource of cluster.registry.all().filter(({ namespaced }) => namespaced)) {
      for (const object of cluster.collection(resource).current()) {
        if (object.namespace !== namespace) continue;
        const deleted = deleteObject(cluster, targetOf(resource, namespace, object.name), null, false);
        held ||= 'object' in deleted;
      }
    }
    if (held) {
      emptyLater(cluster, timers, namespace);
      return;
    }
    const live = cluster.collection(namespaces).get(namespace);
    if (live !== undefined) cluster.store.remove(cluster.collection(namespaces), live);
  });
}

function targetOf(resource: Resource, namespace: string, name: string): Target {
  const version = resource.versions.find(({ storage }) => storage);
  if (version === undefined) throw new Error(`${resource.plural} has no storage version`);
  return { resource, version, namespace, name, subresource: '' };
}

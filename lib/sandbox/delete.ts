// DELETE of one object or of a collection.
import { customResourceDefinitions, namespaces } from './builtin.ts';
import { type Cluster, timestamp } from './cluster.ts';
import { asObject, asString, type Json, type JsonObject } from './json.ts';
import { hasGeneration } from './kinds.ts';
import { type ObjectVersion, parseVersion, toVersion } from './object.ts';
import { conflict, detailsOf } from './status.ts';
import { existing } from './update.ts';
import type { Target } from './write-options.ts';

/** Held by a CustomResourceDefinition until its objects are gone. */
const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

/** What was deleted at once, or the object that is being deleted. */
export type Deleted = { status: JsonObject } | { object: ObjectVersion };

/**
 * Deletes the object: at once, or, where finalizers or a controller hold it, by marking it.
 * `options` is the body, a DeleteOptions or null. Throws 404, and 409 where a precondition does not hold.
 */
export function deleteObject(cluster: Cluster, target: Target, options: Json, dryRun: boolean): Deleted {
  const { resource, name } = target;
  const live = existing(cluster, target);
  checkPreconditions(target, live, asObject(asObject(options)['preconditions']));
  if (isHeld(target, live)) return { object: mark(cluster, target, live, dryRun) };
  if (!dryRun) cluster.store.remove(cluster.collection(resource), live);
  return {
    status: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { ...detailsOf(resource.group, resource.plural, name), uid: live.uid },
    },
  };
}

/** Deletes each of `objects`; answers with them as they were. */
export function deleteAll(cluster: Cluster, target: Target, objects: readonly ObjectVersion[], dryRun: boolean): void {
  for (const { namespace, name } of objects) deleteObject(cluster, { ...target, namespace, name }, null, dryRun);
}

function checkPreconditions({ resource, name }: Target, live: ObjectVersion, preconditions: JsonObject): void {
  const uid = asString(preconditions['uid']);
  if (uid !== '' && uid !== live.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${live.uid}). The object might have been deleted and then recreated`;
    throw conflict(resource, name, why, true);
  }
  const revision = asString(preconditions['resourceVersion']);
  if (revision !== '' && Number(revision) !== live.revision) {
    const why = `the ResourceVersion in the precondition (${revision}) does not match the ResourceVersion in record (${live.revision}). The object might have been modified`;
    throw conflict(resource, name, why, true);
  }
}

function isHeld({ resource }: Target, live: ObjectVersion): boolean {
  if (resource === namespaces || resource === customResourceDefinitions) return true;
  return (parseVersion(live).metadata.finalizers ?? []).length > 0;
}

function mark(cluster: Cluster, { resource }: Target, live: ObjectVersion, dryRun: boolean): ObjectVersion {
  const object = parseVersion(live);
  const { metadata } = object;
  if (metadata.deletionTimestamp !== undefined) return live;
  metadata.deletionTimestamp = timestamp(cluster.now());
  if (resource === namespaces) object['status'] = { ...asObject(object['status']), phase: 'Terminating' };
  else if (resource === customResourceDefinitions)
    metadata.finalizers = [...(metadata.finalizers ?? []), cleanupFinalizer];
  else {
    metadata.deletionGracePeriodSeconds = 0;
    if (hasGeneration(resource.kind, resource.custom)) metadata.generation = (metadata.generation ?? 0) + 1;
  }
  if (dryRun) return toVersion(object, resource.custom);
  return cluster.store.put(cluster.collection(resource), object);
}

// A new state for an existing object: what PUT, PATCH and apply have in common, and PUT itself.
import { admitBody, admitFields, admitValid, fillDefaults } from './admission.ts';
import { type Cluster, timestamp } from './cluster.ts';
import { scopeOf } from './create.ts';
import { asString, equal, type Json, type JsonObject } from './json.ts';
import { completeChanged, hasGeneration } from './kinds.ts';
import { ownedAfterUpdate } from './managed-fields.ts';
import { type KubeObject, type ObjectVersion, objectKey, parseVersion, toVersion } from './object.ts';
import { groupVersion, storageVersion } from './resource.ts';
import { conflict, invalid, modified, notFound } from './status.ts';
import type { Ownership, Target, WriteOptions, Written } from './write-options.ts';

/** PUT. Throws 404 for a missing object, 409 for another resourceVersion, 422 for none on a custom resource. */
export function replaceObject(cluster: Cluster, target: Target, body: Json, options: WriteOptions): Written {
  const input = admitBody(target, body);
  const live = existing(cluster, target);
  const { resource, name } = target;
  if (asString(input.metadata.resourceVersion) === '') {
    if (resource.custom || resource.plural === 'customresourcedefinitions') {
      throw invalid(resource.group, resource.plural, name, [
        {
          reason: 'FieldValueInvalid',
          message: 'Invalid value: 0: must be specified for an update',
          field: 'metadata.resourceVersion',
        },
      ]);
    }
  }
  return updateObject(cluster, target, live, input, options);
}

export function existing(cluster: Cluster, { resource, namespace, name }: Target): ObjectVersion {
  const live = cluster.collection(resource).get(objectKey(namespace, name));
  if (live === undefined) throw notFound(resource, name);
  return live;
}

/** The stored object as this version of the API shows it. */
export function liveObject({ resource, version }: Target, live: ObjectVersion): KubeObject {
  const object = parseVersion(live);
  object.apiVersion = groupVersion(resource.group, version.name);
  return object;
}

/**
 * Makes `input` the new state, less what this request may not change. A write that changes nothing has no effect: it
 * answers with the stored state. `parsed`: the stored state, where the caller has it. Removing the last finalizer of an object that is being deleted removes the object.
 */
export function updateObject(
  cluster: Cluster,
  target: Target,
  live: ObjectVersion,
  input: KubeObject,
  options: WriteOptions,
  ownership?: Ownership,
  parsed?: KubeObject,
): Written {
  const { resource } = target;
  checkPreconditions(target, live, input);
  const warnings = admitFields(target, input, options.fieldValidation);
  const before = parsed ?? liveObject(target, live);
  const object = changeable(target, before, input);
  completeChanged(object);
  fillDefaults(target, object);
  admitValid(target, object);
  if (hasGeneration(resource.kind, resource.custom) && !equal(counted(target, before), counted(target, object))) {
    object.metadata.generation = (before.metadata.generation ?? 0) + 1;
  }
  object.metadata.managedFields =
    ownership?.managedFields ??
    ownedAfterUpdate(before, object, scopeOf(target), {
      manager: options.manager,
      operation: 'Update',
      subresource: target.subresource === 'status' ? 'status' : undefined,
      time: timestamp(cluster.now()),
    });
  if (equal(before, object)) return { code: 200, object: live, warnings };
  object.apiVersion = groupVersion(resource.group, storageVersion(resource));
  const collection = cluster.collection(resource);
  const finished = object.metadata.deletionTimestamp !== undefined && (object.metadata.finalizers ?? []).length === 0;
  if (finished && resource.plural !== 'namespaces') {
    if (!options.dryRun) cluster.store.remove(collection, live);
    return { code: 200, object: toVersion(object, resource.custom), warnings };
  }
  if (options.dryRun) return { code: 200, object: toVersion(object, resource.custom), warnings };
  return { code: 200, object: cluster.store.put(collection, object), warnings };
}

function checkPreconditions({ resource, name }: Target, live: ObjectVersion, input: KubeObject): void {
  const { uid, resourceVersion } = input.metadata;
  if (asString(uid) !== '' && uid !== live.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.uid}`;
    throw conflict(resource, name, why);
  }
  if (asString(resourceVersion) !== '' && Number(resourceVersion) !== live.revision) {
    throw conflict(resource, name, modified);
  }
}

/** `input` with everything that a client cannot change taken from the stored object. */
function changeable({ version, subresource, resource }: Target, before: KubeObject, input: KubeObject): KubeObject {
  if (subresource === 'status') return withMember(before, 'status', input['status']);
  const { metadata } = before;
  const object: KubeObject = {
    ...input,
    metadata: {
      ...input.metadata,
      uid: metadata.uid,
      creationTimestamp: metadata.creationTimestamp,
      ...(metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
    },
  };
  for (const name of ['generation', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'managedFields']) {
    if (metadata[name] === undefined) delete object.metadata[name];
    else object.metadata[name] = metadata[name];
  }
  for (const name of ['labels', 'annotations', 'finalizers'] as const) {
    const value: Json | undefined = object.metadata[name];
    if (value === null || (Array.isArray(value) && value.length === 0)) delete object.metadata[name];
  }
  const keepsStatus = version.statusSubresource || resource.plural === 'namespaces';
  return keepsStatus ? withMember(object, 'status', before['status']) : object;
}

function withMember(object: KubeObject, name: string, value: Json | undefined): KubeObject {
  const result: KubeObject = { ...object, metadata: { ...object.metadata } };
  if (value === undefined) delete result[name];
  else result[name] = value;
  return result;
}

/** What generation counts changes of: all but metadata, and but status where that has a subresource of its own. */
function counted({ version }: Target, object: KubeObject): JsonObject {
  const { metadata, apiVersion, status, ...rest } = object;
  void [metadata, apiVersion];
  return version.statusSubresource || status === undefined ? rest : { ...rest, status };
}

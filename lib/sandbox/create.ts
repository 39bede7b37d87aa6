// POST of a new object.
import { admitBody, admitCreate, admitFields, admitValid, fillDefaults } from './admission.ts';
import { type Cluster, timestamp } from './cluster.ts';
import type { FieldScope } from './field-sets.ts';
import { asString, type Json } from './json.ts';
import { completeNew, hasGeneration } from './kinds.ts';
import { ownedAfterUpdate } from './managed-fields.ts';
import { type KubeObject, type ObjectMeta, objectKey, toVersion } from './object.ts';
import { groupVersion, storageVersion } from './resource.ts';
import { alreadyExists, failure, invalid } from './status.ts';
import type { Ownership, Target, WriteOptions, Written } from './write-options.ts';

/** Creates the object that `body` describes. Throws ApiError; answers 201. */
export function createObject(cluster: Cluster, target: Target, body: Json, options: WriteOptions): Written {
  return createAdmitted(cluster, target, admitBody(target, body), options);
}

/** As `createObject`, from a body that has been admitted; server-side apply brings its own field ownership. */
export function createAdmitted(
  cluster: Cluster,
  target: Target,
  input: KubeObject,
  options: WriteOptions,
  ownership?: Ownership,
): Written {
  const { resource, version } = target;
  const warnings = admitFields(target, input, options.fieldValidation);
  const object: KubeObject = { ...input, metadata: newMetadata(cluster, target, input, options) };
  if (version.statusSubresource || resource.plural === 'namespaces') delete object['status'];
  admitCreate(cluster, target, object.metadata.name);
  completeNew(object);
  fillDefaults(target, object);
  admitValid(target, object);
  const collection = cluster.collection(resource);
  if (collection.get(objectKey(target.namespace, object.metadata.name)) !== undefined) {
    throw alreadyExists(resource, object.metadata.name);
  }
  const time = timestamp(cluster.now());
  object.metadata.managedFields =
    ownership?.managedFields ??
    ownedAfterUpdate(undefined, object, scopeOf(target), {
      manager: options.manager,
      operation: 'Update',
      subresource: undefined,
      time,
    });
  object.apiVersion = groupVersion(resource.group, storageVersion(resource));
  if (options.dryRun) return { code: 201, object: toVersion(object, resource.custom), warnings };
  return { code: 201, object: cluster.store.put(collection, object), warnings };
}

/** The part of an object that a request to this target can own. */
export function scopeOf({ resource, version, subresource }: Target): FieldScope {
  return {
    schema: version.schema,
    custom: resource.custom,
    part: subresource === 'status' ? 'status' : version.statusSubresource ? 'main' : 'all',
  };
}

function newMetadata(cluster: Cluster, target: Target, input: KubeObject, options: WriteOptions): ObjectMeta {
  const { resource } = target;
  const { resourceVersion, selfLink, managedFields, deletionTimestamp, deletionGracePeriodSeconds, ...given } =
    input.metadata;
  void [selfLink, managedFields, deletionTimestamp, deletionGracePeriodSeconds];
  if (asString(resourceVersion) !== '' && !options.dryRun) {
    throw failure(500, undefined, 'resourceVersion should not be set on objects to be created');
  }
  const prefix = asString(given.generateName);
  const name = asString(given.name) || (prefix === '' ? '' : `${prefix}${suffix()}`);
  if (name === '') {
    throw invalid(resource.group, resource.kind, '', [
      {
        reason: 'FieldValueRequired',
        message: 'Required value: name or generateName is required',
        field: 'metadata.name',
      },
    ]);
  }
  const metadata: ObjectMeta = {
    ...given,
    name,
    uid: cluster.uid(),
    creationTimestamp: timestamp(cluster.now()),
  };
  delete metadata.generation;
  if (hasGeneration(resource.kind, resource.custom)) metadata.generation = 1;
  return metadata;
}

/** Five characters without vowels, so that no word comes out (apimachinery's util/rand). */
function suffix(): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  return Array.from({ length: 5 }, () => alphabet[Math.floor(Math.random() * alphabet.length)]).join('');
}

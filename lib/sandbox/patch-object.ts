// PATCH: merge patch, JSON patch, and server-side apply. Strategic merge is for built-in kinds, and a merge patch here.
import { admitBody } from './admission.ts';
import { applyConfig } from './apply.ts';
import { type Cluster, timestamp } from './cluster.ts';
import { createAdmitted, scopeOf } from './create.ts';
import { fieldsOf } from './field-sets.ts';
import { asObject, asString, clone, isObject, type Json } from './json.ts';
import { entryOf, type Writer } from './managed-fields.ts';
import { type KubeObject, objectKey } from './object.ts';
import { jsonPatch, mergePatch } from './patch.ts';
import { badRequest, conflict, failure, invalidOptions } from './status.ts';
import { prune } from './structure.ts';
import { existing, liveObject, updateObject } from './update.ts';
import type { Target, WriteOptions, Written } from './write-options.ts';

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

const mediaTypes: Record<string, PatchType> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** The kind of patch that a Content-Type names. Throws 415 for one that the resource does not take. */
export function patchType(contentType: string, custom: boolean): PatchType {
  const type = mediaTypes[contentType.split(';')[0]?.trim() ?? ''];
  if (type !== undefined && !(custom && type === 'strategic')) return type;
  const accepted = Object.keys(mediaTypes).filter((name) => !custom || !name.includes('strategic'));
  throw failure(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

export function patchObject(
  cluster: Cluster,
  target: Target,
  type: PatchType,
  patch: Json,
  options: WriteOptions,
): Written {
  const live = existing(cluster, target);
  const before = liveObject(target, live);
  const patched = type === 'json' ? jsonPatch(before, patch) : mergePatch(before, patch);
  if (!isObject(patched)) throw badRequest('the patched object is not an object');
  return updateObject(cluster, target, live, admitBody(target, patched), options, undefined, before);
}

/** Server-side apply. `query` says whether a field manager was given, which apply insists on. */
export function applyObject(
  cluster: Cluster,
  target: Target,
  config: Json,
  options: WriteOptions,
  fieldManager: string | null,
): Written {
  if (fieldManager === null || fieldManager === '') {
    throw invalidOptions('PatchOptions', [
      { reason: 'FieldValueRequired', message: 'Required value: is required for apply patch', field: 'fieldManager' },
    ]);
  }
  const given = asObject(asObject(config)['metadata']);
  if (Array.isArray(given['managedFields'])) throw badRequest('metadata.managedFields must be nil');
  const input = admitBody(target, config);
  refuseUnknown(target, input);
  const writer: Writer = {
    manager: fieldManager,
    operation: 'Apply',
    subresource: target.subresource === 'status' ? 'status' : undefined,
    time: timestamp(cluster.now()),
  };
  const live = cluster.collection(target.resource).get(objectKey(target.namespace, target.name));
  if (live === undefined) return applyNew(cluster, target, input, options, writer);
  const before = liveObject(target, live);
  const { object, managedFields } = applyConfig(before, input, scopeOf(target), writer, options.force);
  object.metadata.resourceVersion = asString(input.metadata.resourceVersion) || String(live.revision);
  return updateObject(cluster, target, live, object, options, { managedFields }, before);
}

function applyNew(cluster: Cluster, target: Target, input: KubeObject, options: WriteOptions, writer: Writer): Written {
  const uid = asString(input.metadata.uid);
  if (target.subresource === 'status') existing(cluster, target);
  if (uid !== '') {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(target.resource, target.name, why);
  }
  const declared = fieldsOf(input, scopeOf(target), true);
  const managedFields = [entryOf(input.apiVersion, writer, declared.keys())];
  return createAdmitted(cluster, target, input, options, { managedFields });
}

/** Apply neither prunes nor warns: a field outside the schema fails it, with 500. */
function refuseUnknown({ version, resource, namespace, name }: Target, input: KubeObject): void {
  if (version.schema === undefined) return;
  const [unknown] = prune(clone(input), version.schema);
  if (unknown === undefined) return;
  const id = `${objectKey(namespace, name)}; ${input.apiVersion}, Kind=${resource.kind}`;
  throw failure(
    500,
    undefined,
    `failed to create typed patch object (${id}): .${unknown}: field not declared in schema`,
  );
}

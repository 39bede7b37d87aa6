// Requests that change objects: their paths, parameters and bodies.
import type { ApiRequest } from '../../ports/api-server.ts';
import { isRecord, type KubernetesObject } from './client-object.ts';
import type { ApplyOptions, Deleted, DeleteOptions, PatchOptions, WriteOptions } from './client-options.ts';

const json = { accept: 'application/json', 'content-type': 'application/json' };

/** Server-side apply. The content type says YAML, of which JSON is a part; older servers know no other. */
export function applyRequest(path: string, object: KubernetesObject, options: ApplyOptions): ApiRequest {
  return {
    method: 'PATCH',
    path: withSubresource(path, options),
    query: { ...writeQuery(options), force: options.force === true ? true : undefined },
    headers: { ...json, 'content-type': 'application/apply-patch+yaml' },
    // A server refuses an apply that carries managedFields (400), and objects that were read have them.
    body: JSON.stringify({ ...object, metadata: { ...object.metadata, managedFields: undefined } }),
    ...signalOf(options),
  };
}

export function createRequest(collection: string, object: KubernetesObject, options: WriteOptions): ApiRequest {
  return {
    method: 'POST',
    path: collection,
    query: writeQuery(options),
    headers: json,
    body: JSON.stringify(object),
    ...signalOf(options),
  };
}

export function replaceRequest(path: string, object: KubernetesObject, options: WriteOptions): ApiRequest {
  return {
    method: 'PUT',
    path: withSubresource(path, options),
    query: writeQuery(options),
    headers: json,
    body: JSON.stringify(object),
    ...signalOf(options),
  };
}

const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};

export function patchRequest(path: string, patch: unknown, options: PatchOptions): ApiRequest {
  const type = options.type ?? (Array.isArray(patch) ? 'json' : 'merge');
  return {
    method: 'PATCH',
    path: withSubresource(path, options),
    query: writeQuery(options),
    headers: { ...json, 'content-type': patchTypes[type] },
    body: JSON.stringify(patch),
    ...signalOf(options),
  };
}

export function deleteRequest(path: string, options: DeleteOptions): ApiRequest {
  const { preconditions, propagationPolicy, gracePeriodSeconds, dryRun } = options;
  const body = {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    preconditions,
    propagationPolicy,
    gracePeriodSeconds,
    dryRun: dryRun === true ? ['All'] : undefined,
  };
  return { method: 'DELETE', path, headers: json, body: JSON.stringify(body), ...signalOf(options) };
}

/** The answer to a delete is a Status where the object is gone at once, else the object, which may still be there. */
export function parseDeleted<T extends KubernetesObject>(answer: unknown): Deleted<T> {
  if (!isRecord(answer) || answer['kind'] === 'Status') return { gone: true };
  const object = answer as T;
  return { gone: object.metadata?.deletionTimestamp === undefined, object };
}

function writeQuery(options: WriteOptions): NonNullable<ApiRequest['query']> {
  return {
    fieldManager: options.fieldManager ?? 'mk8s',
    dryRun: options.dryRun === true ? 'All' : undefined,
  };
}

function withSubresource(path: string, { subresource }: WriteOptions): string {
  return subresource === undefined ? path : `${path}/${encodeURIComponent(subresource)}`;
}

function signalOf({ signal }: { readonly signal?: AbortSignal }): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

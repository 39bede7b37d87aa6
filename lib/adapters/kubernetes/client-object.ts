// Objects as the library hands them out: JSON with the few fields that every Kubernetes object has.
import { Mk8sError } from '../../model/errors.ts';
import type { Target } from './rest.ts';

/** `metadata` of any object (Kubernetes' ObjectMeta), as far as everyone uses it. */
export interface ObjectMeta {
  name?: string;
  generateName?: string;
  /** Absent for cluster-scoped objects. */
  namespace?: string;
  uid?: string;
  /** Opaque; grows with every change. */
  resourceVersion?: string;
  generation?: number;
  /** RFC 3339. */
  creationTimestamp?: string;
  /** RFC 3339; set while the object waits for its finalizers. */
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  [field: string]: unknown;
}

/** Any Kubernetes object. Give your own type, or one generated from a CRD, for `spec` and `status`. */
export interface KubernetesObject {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
}

/** Checks that an answer is an object of Kubernetes; what else is in it is the caller's to know. Throws Mk8sError `protocol`. */
export function asObject(target: Target, attempt: string, value: unknown): KubernetesObject {
  if (isRecord(value) && typeof value['kind'] === 'string' && isRecord(value['metadata'])) return value;
  throw new Mk8sError(
    `Cannot ${attempt} in cluster "${target.name}": ${target.api.server} answered with JSON that is not a Kubernetes object (kind and metadata are missing)`,
    { code: 'protocol' },
  );
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

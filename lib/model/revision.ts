// What is observed on a watch or list, and what it becomes when it is recorded.
import { hash } from 'node:crypto';
import type { ResourceVersion } from './resource-version.ts';
import type { ClusterId, StreamRef } from './stream.ts';

export type ChangeType = 'add' | 'update' | 'delete';

/** How a change was found: live on a watch, in a first sync, by comparison after a gap, or sent again after a crash. */
export type Origin = 'watch' | 'snapshot' | 'relist' | 'replay';

/** `NAMESPACE/NAME`, or `/NAME` for cluster-scoped objects. Compared as UTF-8 bytes, which is the order of etcd's lists. */
export type ObjectKey = string & { readonly __brand: 'ObjectKey' };

export function objectKey(namespace: string, name: string): ObjectKey {
  return `${namespace}/${name}` as ObjectKey;
}

/** The key of an object, or of what is recorded of one. */
export function keyOf({ namespace, name }: { readonly namespace: string; readonly name: string }): ObjectKey {
  return objectKey(namespace, name);
}

/**
 * Order of keys in etcd's lists: by UTF-8 bytes. JavaScript's own order of strings differs once surrogates are involved:
 * they encode the code points above all others, but are not the largest code units.
 */
export function compareObjectKeys(a: ObjectKey, b: ObjectKey): number {
  if (a === b) return 0;
  if (!surrogate.test(a) && !surrogate.test(b)) return a < b ? -1 : 1;
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1;
  }
  return a.length - b.length;
}

/** The names that Kubernetes allows have none: there V8's own comparison will do, at about a seventh of the price. */
const surrogate = /[\ud800-\udfff]/;

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

/** Identity and state of one object as the byte scanner finds it, without a full parse. */
export interface ScannedObject {
  readonly apiVersion: string;
  readonly kind: string;
  /** '' for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: ResourceVersion;
  /** Who wrote last, from managedFields: the manager of the entry with the latest time; '' where unknown. */
  readonly manager: string;
  /** The object's JSON as sent, as UTF-8, with metadata.managedFields cut out. */
  readonly object: Uint8Array;
}

/** A change that is not recorded yet. */
export interface Observed extends ScannedObject {
  readonly type: ChangeType;
  readonly origin: Origin;
  /**
   * The object's state is known up to this resourceVersion. It equals `resourceVersion`, except for a tombstone found
   * by absence: `resourceVersion` is then the last known one (it makes the id), `asOf` that of the list.
   */
  readonly asOf: ResourceVersion;
  /** Milliseconds since 1970. */
  readonly observedAt: number;
}

/** One recorded state of one object, or its tombstone; immutable. */
export interface Revision extends Observed {
  readonly stream: StreamRef;
  /** One life of a stream's resourceVersions, from 1. */
  readonly epoch: number;
  /** 1, 2, 3 … in its stream, without gaps when recorded (retention may remove old ones). */
  readonly sequence: number;
  /** Place in the order of the whole log: what a subscription's cursor counts. Grows; has gaps. */
  readonly position: number;
  /** Sequence of the same object's revision before this one, 0 for none. */
  readonly previous: number;
}

/** The last recorded state of one object of a stream. */
export interface LastState {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: ResourceVersion;
  readonly asOf: ResourceVersion;
  readonly epoch: number;
  readonly sequence: number;
  /** True for a tombstone. */
  readonly deleted: boolean;
}

/**
 * The deterministic id of a change (promise 5): 128 bits of SHA-256 over cluster id, epoch, uid, resourceVersion and
 * type, as 32 hexadecimal digits. The same change has the same id after any number of crashes and re-runs.
 */
export function changeId(
  cluster: ClusterId,
  epoch: number,
  uid: string,
  resourceVersion: ResourceVersion,
  type: ChangeType,
): string {
  return hash('sha256', `${cluster}\n${epoch}\n${uid}\n${resourceVersion}\n${type}`, 'hex').slice(0, 32);
}

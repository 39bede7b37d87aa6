// What the calls of a cluster's client take and give.
import type { ResourceVersion } from '../../model/resource-version.ts';
import type { KubernetesObject } from './client-object.ts';

export interface CallOptions {
  /** Aborting ends the call; it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface NamespaceOptions extends CallOptions {
  /** Default: the namespace of the cluster's context. Ignored for cluster-scoped resources. */
  readonly namespace?: string;
}

export interface GetOptions extends NamespaceOptions {
  /** Only apiVersion, kind (`PartialObjectMetadata`) and metadata. */
  readonly metadataOnly?: boolean;
}

export interface CollectionOptions extends CallOptions {
  /** One namespace; default: all of them. */
  readonly namespace?: string;
  /** Kubernetes' syntax: `app=web,tier in (a,b)`. */
  readonly labelSelector?: string;
  /** `metadata.name=x`, and what the resource's selectableFields allow. */
  readonly fieldSelector?: string;
  /** Only metadata of each object (`PartialObjectMetadata`): a fraction of the bytes. */
  readonly metadataOnly?: boolean;
}

export interface ListOptions extends CollectionOptions {
  /** False: in pages, even where the server has streaming lists. Default true. */
  readonly streaming?: boolean;
  /** Objects of a page, where it is pages. Default 500. */
  readonly pageSize?: number;
  /**
   * What to do where the server forgot the list's snapshot between two pages (after about 5 minutes): `continue` reads
   * the rest as it is then (`consistent` is false at the end); `throw` throws Mk8sError with status 410. Default `continue`.
   */
  readonly onExpired?: 'continue' | 'throw';
}

export interface WatchOptions extends CollectionOptions {
  /** Start with the changes after this one (of a list's end, an event or a bookmark). Default: existing objects first. */
  readonly resourceVersion?: ResourceVersion | string;
  /** Yield BOOKMARK events too. Default false. */
  readonly bookmarks?: boolean;
  /**
   * What to do where changes were lost (410 Gone: the resourceVersion is too old): `throw` throws Mk8sError with status 410;
   * `relist` yields a RELIST event and then all existing objects as ADDED up to a BOOKMARK with `initialEventsEnd`. Objects that
   * do not come again were deleted meanwhile. Default `throw`.
   */
  readonly onGap?: 'throw' | 'relist';
}

export type WatchEvent<T extends KubernetesObject = KubernetesObject> =
  | {
      /**
       * ADDED: also each existing object at the start. DELETED: also an object that left the selector; `object` is then its
       * state before.
       */
      readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
      readonly object: T;
      /** The object's, at which the change happened. */
      readonly resourceVersion: string;
    }
  | {
      /** Everything up to here was yielded. Only with `bookmarks`, or with `onGap: 'relist'` at the end of existing objects. */
      readonly type: 'BOOKMARK';
      readonly resourceVersion: string;
      /** True for the one that follows the existing objects. */
      readonly initialEventsEnd: boolean;
    }
  | {
      /** Only with `onGap: 'relist'`: forget what you know; all existing objects follow. */
      readonly type: 'RELIST';
      readonly reason: string;
    };

export interface WriteOptions extends NamespaceOptions {
  /** Who writes, in managedFields. Default `mk8s`. */
  readonly fieldManager?: string;
  /** Check everything, change nothing. Default false. */
  readonly dryRun?: boolean;
  /** `status` or another subresource instead of the object itself. */
  readonly subresource?: string;
}

export interface ApplyOptions extends WriteOptions {
  /** Take over fields that other managers own, instead of 409 Conflict. Default false. */
  readonly force?: boolean;
}

export interface PatchOptions extends WriteOptions {
  /** `merge`: RFC 7386. `json`: RFC 6902. `strategic`: built-in resources only. Default `json` for arrays, else `merge`. */
  readonly type?: 'merge' | 'json' | 'strategic';
}

export interface DeleteOptions extends NamespaceOptions {
  /** Delete only this very object, or state of it; else 409 Conflict. */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  /** What happens to what it owns. Default: the resource's own, mostly `Background`. */
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
  readonly dryRun?: boolean;
}

export interface Deleted<T extends KubernetesObject = KubernetesObject> {
  /** False where it waits for finalizers, or for its grace period to end: it is still there, with a deletionTimestamp. */
  readonly gone: boolean;
  /** Where the server answered with the object. */
  readonly object?: T;
}

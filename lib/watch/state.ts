// What a stream's watch can be doing, and what can happen to it. A checkpoint is one of these states: resuming is
// starting there. Drawn in docs/watch.md.
import type { ResourceVersion } from '../model/resource-version.ts';

/** Why the live set is compared with the record. */
export type SyncReason =
  /** Nothing was ever synchronised in this epoch. */
  | 'first'
  /** The server no longer has the events since our resourceVersion (410). */
  | 'gap'
  /** The cluster was restored: its resourceVersions start a new epoch. */
  | 'restored'
  /** It could not be shown that the resourceVersions still mean the same. */
  | 'unproven';

/** What is remembered across states. */
export interface Memory {
  /** One life of the stream's resourceVersions, from 1. */
  readonly epoch: number;
  /** Failures in a row without progress: grows the backoff. */
  readonly failures: number;
  /** False once the server refused or ignored a streaming list. */
  readonly streamingLists: boolean;
  /** True after a 401, until something succeeds: a second one waits. */
  readonly renewed: boolean;
}

/** States in which a request is made. */
export type ActiveState = (
  | { readonly kind: 'probing'; readonly resourceVersion: ResourceVersion }
  | { readonly kind: 'streaming'; readonly reason: SyncReason }
  | {
      readonly kind: 'paging';
      readonly reason: SyncReason;
      /** '' for the first page. */
      readonly continueToken: string;
      /** resourceVersion of the first page: what a watch may start from if the pages are not one snapshot. */
      readonly first?: ResourceVersion;
      /** False once a fresh continue token was taken: the pages have different resourceVersions. */
      readonly consistent: boolean;
      /** Most objects of a page, where it is less than usual: pages took too long. */
      readonly limit?: number;
    }
  | { readonly kind: 'watching'; readonly resourceVersion: ResourceVersion }
) & { readonly memory: Memory };

/** Why nothing is asked of the server for a while. */
export type WaitReason =
  /** Refused, reset, 5xx: exponential backoff with jitter. */
  | 'backoff'
  /** 429 or Retry-After. */
  | 'throttled'
  /** 403, or 401 twice: tried again slowly. */
  | 'denied'
  /** 404: the resource is not served; tried again slowly, or at once when discovery sees it. */
  | 'absent';

export type WatchState =
  | ActiveState
  | {
      readonly kind: 'waiting';
      readonly why: WaitReason;
      /** What happened, for people. */
      readonly problem: string;
      /** At least this long, where the server said so. */
      readonly retryAfterMs?: number;
      readonly next: ActiveState;
    }
  /** The resource is gone for good. */
  | { readonly kind: 'ended' };

/** Whether the stream's resourceVersions still mean the same; where that can't be told, everything is compared. */
export type Verdict = 'same' | 'restored' | 'unproven';

/** Everything that can happen. */
export type WatchInput =
  /** Objects were delivered and processed; the last one's resourceVersion. */
  | { readonly kind: 'objects'; readonly resourceVersion: ResourceVersion }
  | { readonly kind: 'bookmark'; readonly resourceVersion: ResourceVersion }
  /** The bookmark that ends a streaming list. */
  | { readonly kind: 'listed'; readonly resourceVersion: ResourceVersion }
  | { readonly kind: 'page'; readonly resourceVersion: ResourceVersion; readonly continueToken: string }
  /** Our record was held against the cluster's present; for `same`, where to go on watching. */
  | { readonly kind: 'proof'; readonly verdict: Verdict; readonly resourceVersion: ResourceVersion }
  /** An error Status: as the HTTP answer, or as an ERROR event in a stream. */
  | {
      readonly kind: 'status';
      readonly code: number;
      readonly reason: string;
      readonly message: string;
      readonly retryAfterMs?: number;
      /** A 410's fresh continue token. */
      readonly continueToken?: string;
    }
  /** The body ended as HTTP says it must. `productive` where anything came, or it lasted as long as was asked. */
  | { readonly kind: 'ended'; readonly productive: boolean }
  /** No connection, or it broke, or the answer made no sense, or our own deadline passed. */
  | { readonly kind: 'broken'; readonly problem: string; readonly denied?: boolean }
  /** A streaming list showed that the server does not do it: live events or bookmarks before the end mark, silence, or no key order. */
  | { readonly kind: 'unfit' }
  /**
   * Nothing was heard of the server for so long that the cluster may have been restored meanwhile. `slowPage`: not because it
   * was away, but because a page took so long to arrive and to be processed.
   */
  | { readonly kind: 'lapsed'; readonly slowPage?: boolean }
  /** A wait is over, or there is reason to try at once. */
  | { readonly kind: 'elapsed' }
  /** Discovery says the resource is gone for good. */
  | { readonly kind: 'removed' };

/** The state in which a stream starts or resumes. */
export function initialState(position: {
  epoch: number;
  resourceVersion?: ResourceVersion;
  reason?: SyncReason;
  /** False where lists are to be paged from the beginning. */
  streamingLists?: boolean;
}): ActiveState {
  const { streamingLists = true } = position;
  const memory: Memory = { epoch: Math.max(1, position.epoch), failures: 0, streamingLists, renewed: false };
  if (position.resourceVersion !== undefined) {
    return { kind: 'probing', resourceVersion: position.resourceVersion, memory };
  }
  const reason = position.reason ?? 'first';
  return streamingLists
    ? { kind: 'streaming', reason, memory }
    : { kind: 'paging', reason, continueToken: '', consistent: true, memory };
}

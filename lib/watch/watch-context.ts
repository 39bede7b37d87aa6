// What a watch is given, and what it hands out.
import type { ResourceVersion } from '../model/resource-version.ts';
import type { ScannedObject } from '../model/revision.ts';
import type { ApiServer } from '../ports/api-server.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { RecordReader } from './record-reader.ts';
import type { Collection } from './requests.ts';
import type { SyncReason, Verdict, WatchInput, WatchState } from './state.ts';

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: ScannedObject;
}

export type WatchOutput =
  /** The state changed. */
  | { readonly kind: 'state'; readonly state: WatchState }
  /** A comparison of the live set with the record begins (anew: what an earlier one saw no longer counts). */
  | { readonly kind: 'sync'; readonly reason: SyncReason; readonly epoch: number; readonly ordered: boolean }
  /** Objects of the live set. During a sync of an `ordered` record they come in ascending key order. */
  | {
      readonly kind: 'listed';
      readonly objects: readonly ScannedObject[];
      /** True where they may repeat what came before, because a page was asked for again. */
      readonly again: boolean;
    }
  /** A page ended: what is missing up to its last key was absent at `asOf`. */
  | { readonly kind: 'page'; readonly asOf: ResourceVersion }
  /** The live set is complete. What is missing was absent at `asOf`; everything up to `resourceVersion` is known. */
  | { readonly kind: 'synced'; readonly asOf: ResourceVersion; readonly resourceVersion: ResourceVersion }
  /** Live events in order; everything up to the last one's resourceVersion is known. */
  | { readonly kind: 'events'; readonly events: readonly WatchEvent[]; readonly resourceVersion: ResourceVersion }
  | { readonly kind: 'bookmark'; readonly resourceVersion: ResourceVersion }
  /** What the cluster's resourceVersion was when this run looked, and whether it follows on from ours. */
  | { readonly kind: 'present'; readonly resourceVersion: ResourceVersion; readonly verdict: Verdict }
  /** A watch lasted as long as it was asked to and ended cleanly. */
  | { readonly kind: 'lasted' }
  /** Behind a gateway: from now on nothing is connected until it is the stream's turn (`waiting`), or it is. */
  | { readonly kind: 'turn'; readonly waiting: boolean; readonly state: WatchState };

/** What one request makes happen: something to hand out, and then the input of the transition. */
export interface Step {
  readonly output?: WatchOutput;
  readonly input?: WatchInput;
}

export interface WatchPolicy {
  /** How long a watch is asked to last. client-go takes 300 to 600 s at random. */
  timeoutSeconds(random: Random): number;
  /** Added to it for our own deadline, which catches half-open connections, in milliseconds. */
  readonly graceMs: number;
  /** A streaming list that is silent for so long will not send its end mark, in milliseconds. */
  readonly silenceMs: number;
  readonly backoff: { readonly baseMs: number; readonly maxMs: number };
  /** Between attempts while denied or absent, in milliseconds. */
  readonly parkedMs: number;
}

export const defaultWatchPolicy: WatchPolicy = {
  timeoutSeconds: (random) => 300 + Math.floor(random() * 300),
  graceMs: 15_000,
  silenceMs: 30_000,
  backoff: { baseMs: 800, maxMs: 30_000 },
  parkedMs: 30_000,
};

/** Wakes a stream from outside: discovery saw the resource (`elapsed`) or saw that it is gone (`removed`). */
export interface WatchControl {
  /** Resolves with the next such input; rejects when the signal aborts. */
  next(signal: AbortSignal): Promise<WatchInput & { kind: 'elapsed' | 'removed' }>;
}

export interface WatchContext {
  readonly api: ApiServer;
  /** Where the collection is served now; may change while the stream lives. */
  readonly collection: () => Collection;
  /** From the record: 0 as epoch where there is none. */
  readonly position: {
    readonly epoch: number;
    readonly resourceVersion?: ResourceVersion;
    /** Why it starts with a comparison, where it has no resourceVersion; default `first`. */
    readonly reason?: SyncReason;
  };
  readonly record: RecordReader;
  /** This stream's share of the bytes that may be read ahead of the consumer; asked at each request. */
  readonly readAheadBytes?: () => number;
  readonly control: WatchControl;
  readonly policy: WatchPolicy;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

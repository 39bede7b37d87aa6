// What `mk8s status` and the terminal view show of a stream. Derived state: losing it loses nothing.
import type { StreamRef } from './stream.ts';

export type StreamState =
  | 'starting'
  /** First sync, or reconcile after a gap. */
  | 'syncing'
  | 'watching'
  /** Behind a gateway that allows few open streams: between two of its turns. Nothing is wrong. */
  | 'queued'
  /** Waiting before the next attempt; `error` says why. */
  | 'retrying'
  /** Watched and recorded, but a sink takes nothing until somebody changes something; `error` says what. */
  | 'blocked'
  /** Denied or absent: tried again slowly; `error` says why. */
  | 'parked'
  /** Stopped on purpose, resumable. */
  | 'stopped'
  /** The resource is gone for good; its objects have tombstones. */
  | 'ended';

export interface StreamStatus {
  readonly stream: StreamRef;
  /** The cluster's name, for people. */
  readonly clusterName: string;
  readonly state: StreamState;
  readonly epoch: number;
  /** Checkpointed resourceVersion, '' before the first. */
  readonly resourceVersion: string;
  /** Last sequence number recorded and published. */
  readonly recorded: number;
  readonly published: number;
  /** Live objects in the record. */
  readonly objects: number;
  /** First sync: objects seen so far, and how many are expected where the server says. */
  readonly synced?: { readonly done: number; readonly total?: number };
  /** Milliseconds since 1970 at which the stream was last known to hold the cluster's present, 0 for never. */
  readonly currentAt: number;
  /** Milliseconds since 1970 of the last bookmark, 0 for none. */
  readonly lastBookmarkAt: number;
  /** Times that the watch was lost to 410 or a restore and the stream was compared anew, since the stream exists. */
  readonly gaps: number;
  readonly lastGapAt: number;
  readonly error?: string;
  readonly errorAt?: number;
  readonly updatedAt: number;
}

// The revision log: the history, and the outbox.

import type { ResourceVersion } from '../model/resource-version.ts';
import type { LastState, ObjectKey, Observed, Revision } from '../model/revision.ts';
import type { StreamRef } from '../model/stream.ts';

export interface LogPosition {
  /** 0 before the first epoch began. */
  readonly epoch: number;
  /** Sequence number of the last recorded revision, 0 for none. */
  readonly sequence: number;
  /** Everything of this epoch up to here is recorded. Absent until a first sync completed in this epoch. */
  readonly resourceVersion?: ResourceVersion;
  /** Live objects (tombstones not counted). */
  readonly objects: number;
}

export interface AppendBatch {
  /** Number of the caller's lease; a smaller one than the stream has seen is refused with Mk8sError `fenced`. */
  readonly fence: number;
  readonly epoch: number;
  /** In the order observed. */
  readonly changes: readonly Observed[];
  /** Moves the stream's recorded position, in the same transaction: the batch's last watch event, a bookmark, a completed list. */
  readonly resourceVersion?: ResourceVersion;
}

interface ReadLimit {
  readonly changes: number;
  /** Stop after the revision that passes this many bytes of objects. */
  readonly bytes: number;
}

export interface RevisionLog {
  position(stream: StreamRef): Promise<LogPosition>;
  /**
   * Records a batch. Resolves when it is durable, with the revisions that were new, in order.
   * Idempotent: a change whose object is already known to the same point (`accepts` in history/) is skipped. Calls for one stream
   * take effect in call order. A new epoch clears the recorded resourceVersion. All of it happens, or nothing.
   * Throws Mk8sError `fenced`, `full` (retryable; nothing was recorded) or `storage`.
   */
  append(stream: StreamRef, batch: AppendBatch): Promise<readonly Revision[]>;
  /** Revisions with sequence > `after`, oldest first, up to the limit (at least one if there is any). */
  read(stream: StreamRef, after: number, limit: ReadLimit): Promise<readonly Revision[]>;
  /** One revision, undefined where retention removed it. */
  revision(stream: StreamRef, sequence: number): Promise<Revision | undefined>;
  /** Revisions of one object, newest first, tombstones and earlier objects of the same name included. */
  revisionsOf(stream: StreamRef, key: ObjectKey): AsyncIterable<Revision>;
  /** Last states of live objects with key > `after` (undefined: from the start), in key byte order, at most `limit`. */
  lastStates(stream: StreamRef, after: ObjectKey | undefined, limit: number): Promise<readonly LastState[]>;
  /** The last state of one object, tombstones included. */
  lastState(stream: StreamRef, key: ObjectKey): Promise<LastState | undefined>;
  /** All streams that have a record, of one cluster or of all. */
  streams(cluster?: string): Promise<readonly StreamRef[]>;
}

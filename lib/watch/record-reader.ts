// What a watch may ask of the record: enough to compare the cluster's objects with it in bounded memory.
import type { LastState, ObjectKey, Revision, ScannedObject } from '../model/revision.ts';

export interface RecordReader {
  /** Last states of live objects with key > `after`, in key byte order, at most `limit`. */
  lastStates(after: ObjectKey | undefined, limit: number): Promise<readonly LastState[]>;
  /** One revision; undefined where it is not there any more. */
  revision(sequence: number): Promise<Revision | undefined>;
  /**
   * True where the revision is what recording this object would give, bytes included: after a restore the same object may
   * have been written again at the very same resourceVersion.
   */
  holds(revision: Revision, object: ScannedObject): boolean;
  /** The newest revisions, newest first, at most `limit`. */
  newest(limit: number): Promise<readonly Revision[]>;
  /** True where changes that alter nothing are left out: a live object may be newer than its last revision. */
  readonly sparse?: boolean;
  /** True where the object has something that the revision has not: it would not be left out. */
  alters(revision: Revision, object: ScannedObject): boolean;
}

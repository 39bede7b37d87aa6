// Forgetting old revisions, a little at a time, while everything else goes on.

/** What may go. With neither limit, nothing does. */
export interface RetentionPolicy {
  /** Superseded revisions and tombstones observed longer ago than this may go. Milliseconds. */
  readonly maxAgeMs?: number;
  /** Of each object, at most this many newest revisions stay. At least 1. */
  readonly maxRevisionsPerObject?: number;
}

interface RetentionStep {
  /** Revisions removed by this call. */
  readonly removed: number;
  /** True where this call reached the end of the log: the next one starts over at its oldest end. */
  readonly done: boolean;
}

export interface Retention {
  /**
   * Walks on through the log from where the last call stopped, over at most `budget` frames (about a hundred revisions
   * each). Never removes the last revision of a live object, nor anything that is not published yet (above the
   * sequence number of the stream's checkpoint). A tombstone goes by age only, and with it all memory of its object.
   */
  retain(policy: RetentionPolicy, budget: number): Promise<RetentionStep>;
}

// What a run did, counted.
import type { ChangeType } from '../model/revision.ts';

export interface Tally {
  readonly recorded: Record<ChangeType, number>;
  /** Revisions published in this run, replayed ones included. */
  published: number;
  /** Published again because an earlier run did not get to it. */
  replayed: number;
  /** Changes that happened while nothing was watching: found by resuming or comparing. */
  caughtUp: number;
  /** Streams that resumed from a checkpoint, without listing. */
  resumed: number;
  /** Times that a stream was compared anew because its watch was lost to 410 or a restore. */
  gaps: number;
}

export function createTally(): Tally {
  return { recorded: { add: 0, update: 0, delete: 0 }, published: 0, replayed: 0, caughtUp: 0, resumed: 0, gaps: 0 };
}

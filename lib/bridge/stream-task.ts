// One stream's work, and what all streams of a run share.
import type { Shares } from '../async/shares.ts';
import type { RedactionRule } from '../history/redact.ts';
import type { StreamRef } from '../model/stream.ts';
import type { ApiServer } from '../ports/api-server.ts';
import type { CheckpointStore } from '../ports/checkpoint-store.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { EventSink } from '../ports/event-sink.ts';
import type { Report } from '../ports/reporter.ts';
import type { RevisionLog } from '../ports/revision-log.ts';
import type { Collection } from '../watch/requests.ts';
import type { WatchPolicy } from '../watch/watch-context.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { RestoreMember } from './restore-notices.ts';
import type { StatusBoard } from './status-board.ts';
import type { StreamControl } from './stream-control.ts';
import type { Tally } from './tally.ts';

/** What all streams of a run share. */
export interface StreamServices {
  readonly log: RevisionLog;
  readonly checkpoints: CheckpointStore;
  readonly leases: LeaseKeeper;
  readonly sink: EventSink | undefined;
  readonly redact: readonly RedactionRule[];
  readonly ignoreNoop: boolean;
  readonly mode: 'follow' | 'catch-up';
  readonly policy: WatchPolicy;
  /** First syncs and comparisons that may go on at once, beside one of each cluster. */
  readonly syncs: Shares;
  readonly budget: ByteBudget;
  readonly board: StatusBoard;
  /**
   * Shows the board to other processes; awaited before the first change of a new stream is recorded, so that whoever
   * reads it knows the cluster's name.
   */
  readonly showStatus: () => Promise<void>;
  readonly tally: Tally;
  readonly clock: Clock;
  readonly random: Random;
  readonly report: Report;
}

export interface StreamTask {
  readonly stream: StreamRef;
  readonly clusterName: string;
  readonly api: ApiServer;
  readonly collection: () => Collection;
  readonly control: StreamControl;
  /** Joins the streams of a cluster. */
  readonly restores: RestoreMember;
  /** The resource vanished while nothing was running: only tombstones are left to record. */
  readonly gone: boolean;
  /** Aborts to stop reading; what was read is still recorded, published and checkpointed. */
  readonly stop: AbortSignal;
  /** Aborts to give up publishing what is left: it stays in the log for the next run. */
  readonly giveUp: AbortSignal;
}

/**
 * `caught-up`: it reached what was the cluster's present (catch-up only). `stopped`: told to. `ended`: the resource is
 * gone for good. `held`: another run has its lease.
 */
export type StreamEnd = 'caught-up' | 'stopped' | 'ended' | 'held';

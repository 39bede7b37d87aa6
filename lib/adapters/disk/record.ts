// Records batches of changes inside one transaction: which of them are news, their numbers, their frames.
import { accepts } from '../../history/accepts.ts';
import { movedBy, mustBeOwner } from '../../history/fencing.ts';
import { type Known, knownFrom } from '../../history/recent-states.ts';
import { type ObjectKey, type Observed, objectKey, type Revision } from '../../model/revision.ts';
import type { StreamRef } from '../../model/stream.ts';
import type { AppendBatch } from '../../ports/revision-log.ts';
import type { Database } from './database.ts';
import { type FrameEntry, planFrames } from './frame.ts';
import { type FrameTable, revisionFrom } from './frame-table.ts';
import type { LastStates } from './last-states.ts';
import type { LogRowTable } from './log-row.ts';
import type { StreamRow, StreamTable } from './stream-table.ts';

export interface Recording {
  /**
   * Records one batch, or throws and leaves nothing of it behind. Throws Mk8sError `fenced`; whatever SQLite throws
   * ends the whole transaction.
   */
  record(stream: StreamRef, batch: AppendBatch): Revision[];
  /** Writes down what all batches changed; the last thing in the transaction. Returns what to do once it is committed. */
  finish(): () => void;
}

/** What batches of this transaction did to a stream so far. */
interface Progress {
  /** As it was at the start: what `last` knows. */
  readonly before: StreamRow;
  row: StreamRow;
  readonly states: Map<ObjectKey, Known>;
}

interface Tables {
  readonly streams: StreamTable;
  readonly frames: FrameTable;
  readonly last: LastStates;
  readonly log: LogRowTable;
}

export function createRecorder({ sql }: Database, { streams, frames, last, log }: Tables): () => Recording {
  /** Begins recording, inside a write. */
  return () => {
    const afterwards = last.full ? [last.fold()] : [];
    const progress = new Map<number, Progress>();
    const logged = log.read();
    let { position } = logged;

    const record = (ref: StreamRef, batch: AppendBatch): Revision[] => {
      const opened = streams.open(ref);
      const { before, row, states } = progress.get(opened.id) ?? { before: opened, row: opened };
      mustBeOwner(row.key, batch, row);

      const fresh = new Map<ObjectKey, Known>();
      const entries: FrameEntry[] = [];
      const revisions: Revision[] = [];
      let { sequence, objects } = row;
      for (const change of batch.changes) {
        const key = objectKey(change.namespace, change.name);
        const state = fresh.get(key) ?? states?.get(key) ?? last.get(before, key);
        if (!accepts(state, change, batch.epoch)) continue;
        sequence += 1;
        const place = { sequence, position: position + entries.length + 1, previous: state?.sequence ?? 0 };
        const entry = entryOf(change, batch.epoch, place, (state?.ordinal ?? 0) + 1);
        const next = knownFrom(entry);
        objects += Number(!next.deleted) - Number(state !== undefined && !state.deleted);
        fresh.set(key, next);
        entries.push(entry);
        revisions.push(revisionFrom(entry, row.ref, change.object));
      }
      for (const [from, to] of planFrames(entries)) {
        const bytes = revisions.slice(from, to).map((revision) => revision.object);
        frames.insert(row, entries.slice(from, to), bytes);
      }
      position += revisions.length;
      // Most transactions have one batch of a stream: its states need not be copied.
      const all = states ?? fresh;
      if (all !== fresh) for (const [key, state] of fresh) all.set(key, state);
      progress.set(row.id, { before, row: { ...row, ...movedBy(batch, row), sequence, objects }, states: all });
      return revisions;
    };

    return {
      record(ref, batch) {
        sql.exec('SAVEPOINT batch');
        try {
          const revisions = record(ref, batch);
          sql.exec('RELEASE batch');
          return revisions;
        } catch (error) {
          if (sql.isTransaction) sql.exec('ROLLBACK TO batch; RELEASE batch');
          throw error;
        }
      },
      finish() {
        for (const { row } of progress.values()) streams.save(row);
        log.save({ ...logged, position });
        return () => {
          for (const after of afterwards) after();
          for (const { before, row, states } of progress.values()) last.recorded(before, row.sequence, states);
        };
      },
    };
  };
}

// Field by field: a spread of each change costs more than looking it up in the database.
function entryOf(
  change: Observed,
  epoch: number,
  { sequence, position, previous }: Pick<Revision, 'sequence' | 'position' | 'previous'>,
  ordinal: number,
): FrameEntry {
  return {
    epoch,
    sequence,
    position,
    previous,
    ordinal,
    bytes: change.object.length,
    type: change.type,
    origin: change.origin,
    namespace: change.namespace,
    name: change.name,
    uid: change.uid,
    resourceVersion: change.resourceVersion,
    asOf: change.asOf,
    apiVersion: change.apiVersion,
    kind: change.kind,
    manager: change.manager,
    observedAt: change.observedAt,
  };
}

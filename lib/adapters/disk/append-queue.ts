// Group commit: calls to append queue up, and one transaction, one sync of the disk, makes all of them durable.

import { Mk8sError } from '../../model/errors.ts';
import type { Revision } from '../../model/revision.ts';
import type { StreamRef } from '../../model/stream.ts';
import type { AppendBatch } from '../../ports/revision-log.ts';
import type { Database } from './database.ts';
import type { Recording } from './record.ts';
import { sqliteCode } from './storage-error.ts';

export interface AppendQueue {
  append(stream: StreamRef, batch: AppendBatch): Promise<readonly Revision[]>;
  /** Resolves when everything that was appended is settled; later calls are refused. */
  close(): Promise<void>;
}

interface Waiting {
  readonly stream: StreamRef;
  readonly batch: AppendBatch;
  readonly resolve: (revisions: readonly Revision[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Of one transaction: it holds up the process, so it must end within milliseconds. */
const maxGroupChanges = 5000;

export interface AppendQueueOptions {
  /** Begins recording, inside a write. */
  readonly begin: () => Recording;
  /** Called after each transaction that recorded something. */
  readonly committed: () => void;
  /** Runs something soon, not at once: what is appended until then shares its transaction. */
  readonly soon: (run: () => void) => void;
}

export function createAppendQueue(database: Database, { begin, committed, soon }: AppendQueueOptions): AppendQueue {
  /** In call order. The queue holds no more than its callers wait for. */
  const queue: Waiting[] = [];
  let scheduled = false;
  let closed = false;
  let idle: (() => void) | undefined;

  const schedule = () => {
    if (scheduled || queue.length === 0) return;
    scheduled = true;
    soon(() => {
      scheduled = false;
      commit(database, begin, takeGroup(queue), committed);
      if (queue.length === 0) idle?.();
      schedule();
    });
  };

  return {
    async append(stream, batch) {
      if (closed) throw closedError(database);
      const { promise, resolve, reject } = Promise.withResolvers<readonly Revision[]>();
      queue.push({ stream, batch, resolve, reject });
      schedule();
      return promise;
    },
    async close() {
      closed = true;
      const { promise, resolve } = Promise.withResolvers<void>();
      idle = resolve;
      if (queue.length > 0) await promise;
    },
  };
}

/** Takes calls from the front of the queue: order is kept, also across streams. */
function takeGroup(queue: Waiting[]): Waiting[] {
  let size = 0;
  let changes = 0;
  while (size < queue.length && changes < maxGroupChanges) {
    changes += queue[size]?.batch.changes.length ?? 0;
    size += 1;
  }
  return queue.splice(0, size);
}

function commit(database: Database, begin: () => Recording, group: readonly Waiting[], committed: () => void): void {
  let settle: (() => void)[] = [];
  try {
    const finished = database.write('record changes', () => {
      const recording = begin();
      settle = group.map((waiting) => recordOne(recording, waiting));
      return recording.finish();
    });
    finished();
  } catch (error) {
    for (const waiting of group) waiting.reject(error);
    return;
  }
  for (const outcome of settle) outcome();
  committed();
}

/** A batch that cannot be recorded fails alone; what SQLite throws fails the transaction. */
function recordOne(recording: Recording, { stream, batch, resolve, reject }: Waiting): () => void {
  try {
    const revisions = recording.record(stream, batch);
    return () => resolve(revisions);
  } catch (error) {
    if (sqliteCode(error) !== undefined) throw error;
    return () => reject(error);
  }
}

function closedError({ folder }: Database): Mk8sError {
  return new Mk8sError(`Cannot record changes in data folder "${folder}": it is closed`, { code: 'storage' });
}

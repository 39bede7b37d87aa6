// Everything mk8s keeps, in one folder: one SQLite database that several processes may use at a time.
import { resolve } from 'node:path';
import type { CheckpointStore } from '../../ports/checkpoint-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetterStore } from '../../ports/event-sink.ts';
import type { Feed, SubscriptionStore } from '../../ports/feed.ts';
import type { InventoryStore } from '../../ports/inventory-store.ts';
import type { LeaseStore, Machine } from '../../ports/lease-store.ts';
import type { Retention } from '../../ports/retention.ts';
import type { RevisionLog } from '../../ports/revision-log.ts';
import type { StatusStore } from '../../ports/status-store.ts';
import { createAppendQueue } from './append-queue.ts';
import { type ChangeSignal, createChangeSignal } from './change-signal.ts';
import { type Database, openDatabase } from './database.ts';
import { createDiskCheckpoints } from './disk-checkpoints.ts';
import { createDiskDeadLetters } from './disk-dead-letters.ts';
import { createDiskFeed } from './disk-feed.ts';
import { createDiskInventory } from './disk-inventory.ts';
import { createDiskLeases } from './disk-leases.ts';
import { createDiskLog } from './disk-log.ts';
import { createDiskRetention } from './disk-retention.ts';
import { createDiskStatus } from './disk-status.ts';
import { createDiskSubscriptions } from './disk-subscriptions.ts';
import { createFrameTable } from './frame-table.ts';
import { createLastStates, type LastStates } from './last-states.ts';
import { createLogRow } from './log-row.ts';
import { createRecorder } from './record.ts';
import { storageError } from './storage-error.ts';
import { createStreamTable } from './stream-table.ts';

export interface DataFolder extends Retention {
  readonly log: RevisionLog;
  readonly feed: Feed;
  readonly subscriptions: SubscriptionStore;
  readonly checkpoints: CheckpointStore;
  readonly leases: LeaseStore;
  readonly status: StatusStore;
  readonly inventory: InventoryStore;
  readonly deadLetters: DeadLetterStore;
  /** Waits for appends under way. Does not release leases. */
  close(): Promise<void>;
}

export interface DataFolderOptions {
  /** Made where absent, for its owner only (0700, files 0600). */
  readonly path: string;
  /** The folder must exist; whatever writes is refused with Mk8sError `storage`. Default false. */
  readonly readOnly?: boolean;
  readonly clock: Clock;
  /** This machine's name, as in `Holder.host`. */
  readonly host: string;
  /** True where a process of this machine lives. Default: asks the operating system. */
  readonly isAlive?: (pid: number) => boolean;
}

/**
 * Opens a data folder. Memory: 8 MiB of pages, about 10 MB of last states, a few frames, whatever the number of
 * objects. Throws Mk8sError `storage` (another version, damaged, not permitted, a file in the way) or `full`.
 */
export function openDataFolder({
  path,
  readOnly = false,
  clock,
  host,
  isAlive = processExists,
}: DataFolderOptions): DataFolder {
  const database = openDatabase(resolve(path), readOnly);
  try {
    const changes = createChangeSignal(database.folder, clock);
    return dataFolderOver(database, { clock, host, isAlive, changes, soon: setImmediate });
  } catch (error) {
    database.close();
    throw storageError(error, 'open the database', database.folder);
  }
}

/** What a data folder needs beside its database. */
export interface Surroundings extends Machine {
  readonly clock: Clock;
  readonly changes: ChangeSignal;
  /** Runs something soon, not at once: what is appended until then is committed together. */
  readonly soon: (run: () => void) => void;
}

/** A data folder over an open database: all of it but the files. */
export function dataFolderOver(database: Database, surroundings: Surroundings): DataFolder {
  const { clock, changes, soon } = surroundings;
  const streams = createStreamTable(database);
  const log = createLogRow(database);
  const frames = createFrameTable(database, log);
  const last = createLastStates(database, streams, frames);
  const begin = createRecorder(database, { streams, frames, last, log });
  const queue = createAppendQueue(database, { begin, committed: () => changes.notify(), soon });
  return {
    log: createDiskLog(database, { streams, frames, last, queue }),
    feed: createDiskFeed(database, { streams, frames, log, changes }),
    subscriptions: createDiskSubscriptions(database, clock),
    checkpoints: createDiskCheckpoints(database, streams),
    leases: createDiskLeases(database, clock, surroundings),
    status: createDiskStatus(database),
    inventory: createDiskInventory(database),
    deadLetters: createDiskDeadLetters(database),
    retain: createDiskRetention(database, clock, { streams, frames, last, log }),
    async close() {
      changes.close();
      await queue.close();
      try {
        if (!database.readOnly) foldAll(database, last);
      } finally {
        database.close();
      }
    },
  };
}

/** Saves whoever opens the folder next the reading of the newest frames. */
function foldAll(database: Database, last: LastStates): void {
  if (!last.isEmpty) database.write('write last states', () => last.fold())();
}

/** Signal 0 only asks. EPERM: it lives, and is another user's. */
function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

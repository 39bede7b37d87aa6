// The data folder of a simulation: the production code of lib/adapters/disk over SQLite in memory, which several simulated
// processes share and which outlives them. A crash takes a process's connection and what it had not committed.
import { DatabaseSync } from 'node:sqlite';
import { type DataFolder, dataFolderOver } from '../../lib/adapters/disk/data-folder.ts';
import { type Database, databaseOver } from '../../lib/adapters/disk/database.ts';
import type { Checkpoint } from '../../lib/model/checkpoint.ts';
import type { Revision } from '../../lib/model/revision.ts';
import type { StreamRef } from '../../lib/model/stream.ts';
import type { StreamStatus } from '../../lib/model/stream-status.ts';
import type { DeadLetter } from '../../lib/ports/event-sink.ts';
import type { Holder, Lease } from '../../lib/ports/lease-store.ts';
import type { AppendBatch, LogPosition } from '../../lib/ports/revision-log.ts';
import type { RunStatus } from '../../lib/ports/status-store.ts';
import type { Faults } from './fault-dice.ts';
import type { SimProcess } from './process.ts';
import type { Scheduler } from './scheduler.ts';
import { createSimChanges } from './store-changes.ts';
import { faultyDatabase, faultyFolder } from './store-faults.ts';

/** What took effect in the store, whether or not its caller heard of it. */
export interface StoreWatcher {
  /** An append is asked for. */
  onAppendBegins(process: SimProcess, stream: StreamRef): void;
  onAppend(process: SimProcess, stream: StreamRef, batch: AppendBatch, revisions: readonly Revision[]): void;
  onCheckpoint(process: SimProcess, stream: StreamRef, next: Checkpoint): void;
  onLease(process: SimProcess, lease: Lease, holder: Holder): void;
  /** Extended (`until`, milliseconds since 1970 on the process's clock) or given back (undefined). */
  onHeld(process: SimProcess, leases: readonly Lease[], until: number | undefined): void;
  /** A process asked where a stream stands. */
  onPosition(process: SimProcess, stream: StreamRef, position: LogPosition): void;
  onAcknowledged(process: SimProcess, subscription: string, position: number): void;
  onDeadLetter(process: SimProcess, letter: DeadLetter): void;
  onStatus(process: SimProcess, run: RunStatus, streams: readonly StreamStatus[]): void;
}

/** What every store has, in a folder or in Firestore. */
export type SimFolder = Omit<DataFolder, 'feed' | 'subscriptions'>;

export interface SimStore {
  /** The store as a process sees it: with faults, and dead once the process is. */
  open(process: SimProcess): SimFolder;
  /** The same with its feed. Throws RangeError where there is none. */
  openFolder(process: SimProcess): DataFolder;
  /** On which machine a process runs, as in `Holder.host`. */
  hostOf(process: SimProcess): string;
  /** The store as it is. */
  readonly truth: SimFolder;
  close(): void;
}

export interface StoreOptions {
  /** Unique in this operating system process. */
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly watcher: StoreWatcher;
  readonly isAlive: (pid: number) => boolean;
  /** True while there is no room. */
  readonly isFull: () => boolean;
}

/** The simulated machine, as in `Holder.host`. */
export const HOST = 'sim-host';

export function createSimStore({ name, scheduler, faults, watcher, isAlive, isFull }: StoreOptions): SimStore {
  const connect = (): Database => databaseOver(new DatabaseSync(`file:/${name}?vfs=memdb`), 'sim');
  const changes = createSimChanges(scheduler);
  const own = connect();
  const truth = dataFolderOver(own, {
    clock: scheduler.clock(),
    host: HOST,
    isAlive,
    changes: changes.of(undefined),
    soon: (run) => scheduler.after(0, run),
  });

  function open(process: SimProcess): DataFolder {
    const database = connect();
    process.died.addEventListener('abort', () => database.close());
    const folder = dataFolderOver(faultyDatabase(database, faults, isFull), {
      clock: process.clock,
      host: HOST,
      isAlive,
      changes: changes.of(process.owner),
      soon: (run) => scheduler.after(0, run, process.owner),
    });
    return guarded(process, faultyFolder(process, watched(process, folder, watcher), faults));
  }

  return { truth, open, openFolder: open, hostOf: () => HOST, close: () => own.close() };
}

/** Tells what took effect. */
function watched(process: SimProcess, folder: DataFolder, watcher: StoreWatcher): DataFolder {
  const { log, checkpoints, leases, subscriptions, deadLetters, status } = folder;
  return {
    ...folder,
    log: {
      ...log,
      async position(stream) {
        const position = await log.position(stream);
        watcher.onPosition(process, stream, position);
        return position;
      },
      async append(stream, batch) {
        watcher.onAppendBegins(process, stream);
        const revisions = await log.append(stream, batch);
        watcher.onAppend(process, stream, batch, revisions);
        return revisions;
      },
    },
    checkpoints: {
      ...checkpoints,
      async compareAndSet(stream, previous, next) {
        await checkpoints.compareAndSet(stream, previous, next);
        watcher.onCheckpoint(process, stream, next);
      },
    },
    leases: {
      ...leases,
      async acquire(name, holder, ttlMs) {
        const answer = await leases.acquire(name, holder, ttlMs);
        if (answer.acquired) watcher.onLease(process, answer.lease, holder);
        return answer;
      },
      async renew(held, holder, ttlMs) {
        const lost = await leases.renew(held, holder, ttlMs);
        const kept = held.filter(({ name }) => !lost.includes(name));
        watcher.onHeld(process, kept, process.clock.now() + ttlMs);
        return lost;
      },
      async release(held, holder) {
        await leases.release(held, holder);
        watcher.onHeld(process, held, undefined);
      },
    },
    subscriptions: {
      ...subscriptions,
      async acknowledge(name, position, options) {
        await subscriptions.acknowledge(name, position, options);
        watcher.onAcknowledged(process, name, position);
      },
    },
    deadLetters: {
      ...deadLetters,
      async put(letter) {
        await deadLetters.put(letter);
        watcher.onDeadLetter(process, letter);
      },
    },
    status: {
      ...status,
      async write(run, streams) {
        await status.write(run, streams);
        watcher.onStatus(process, run, streams);
      },
    },
  };
}

function guarded(process: SimProcess, folder: DataFolder): DataFolder {
  const { log, feed, subscriptions, checkpoints, leases, status, inventory, deadLetters } = folder;
  const rest: Pick<DataFolder, 'retain' | 'close'> = {
    retain: (policy, budget) => folder.retain(policy, budget),
    close: () => folder.close(),
  };
  return {
    log: process.guard('log', log),
    feed: process.guard('feed', feed),
    subscriptions: process.guard('subscriptions', subscriptions),
    checkpoints: process.guard('checkpoints', checkpoints),
    leases: process.guard('leases', leases),
    status: process.guard('status', status),
    inventory: process.guard('inventory', inventory),
    deadLetters: process.guard('deadLetters', deadLetters),
    ...process.guard('folder', rest),
  };
}

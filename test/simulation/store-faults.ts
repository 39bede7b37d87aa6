// What a store does to its callers: transactions that fail, calls that fail alone or after they took effect, slowness, a
// full disk. A transaction that fails is undone by SQLite itself.
import type { DataFolder } from '../../lib/adapters/disk/data-folder.ts';
import type { Database } from '../../lib/adapters/disk/database.ts';
import { Mk8sError } from '../../lib/model/errors.ts';
import type { Faults } from './fault-dice.ts';
import type { SimProcess } from './process.ts';

/** SQLite's primary result codes (https://www.sqlite.org/rescode.html): locked by another process, any error, no room. */
const BUSY = 5;
const ERROR = 1;
const FULL = 13;
/** How long a slow append takes at most, milliseconds. */
const SLOW_MS = 3_000;

type Kind = 'append' | 'checkpoint' | 'lease' | 'subscription' | 'status';

/** By what `Database.write` is told that it attempts. */
function kindOf(attempted: string): Kind | undefined {
  if (attempted === 'record changes') return 'append';
  if (attempted === 'write a checkpoint') return 'checkpoint';
  if (attempted.includes('lease')) return 'lease';
  if (attempted === 'move a subscription') return 'subscription';
  return attempted === 'write the status' ? 'status' : undefined;
}

/** Transactions that do all their work and then fail, so that what they did has to be undone, in memory too. */
export function faultyDatabase(database: Database, faults: Faults, isFull: () => boolean): Database {
  return {
    ...database,
    write: (attempted, body) =>
      database.write(attempted, () => {
        const result = body();
        const kind = kindOf(attempted);
        if (isFull()) throw sqliteError(FULL);
        if (kind !== undefined && faults.strikes('store', `${kind}Fails`)) {
          throw sqliteError(faults.dice('store', `${kind}Fails`).pick([BUSY, ERROR]));
        }
        return result;
      }),
  };
}

function sqliteError(errcode: number): Error {
  return Object.assign(new Error(`simulated SQLite error ${errcode}`), { errcode });
}

/** Calls that fail alone, or fail although they took effect. */
export function faultyFolder(process: SimProcess, folder: DataFolder, faults: Faults): DataFolder {
  const { log, checkpoints, leases, subscriptions, feed } = folder;

  async function reading<T>(read: () => Promise<T>): Promise<T> {
    if (faults.strikes('store', 'readFails')) throw failure('reading failed', false);
    return await read();
  }

  async function afterwards<T>(kind: Exclude<Kind, 'status'>, write: () => Promise<T>): Promise<T> {
    const result = await write();
    if (faults.strikes('store', `${kind}FailsAfter`)) {
      const retryable = faults.dice('store', `${kind}FailsAfter`).chance(0.5);
      throw failure('it took effect, but that is not known', retryable);
    }
    return result;
  }

  return {
    ...folder,
    log: {
      ...log,
      position: (stream) => reading(() => log.position(stream)),
      read: (stream, after, limit) => reading(() => log.read(stream, after, limit)),
      revision: (stream, sequence) => reading(() => log.revision(stream, sequence)),
      lastStates: (stream, after, limit) => reading(() => log.lastStates(stream, after, limit)),
      async append(stream, batch) {
        if (faults.strikes('store', 'groupPartly')) throw failure('one call of a group failed', false);
        if (faults.strikes('store', 'appendSlow')) {
          await process.clock.sleep(faults.dice('store', 'appendSlow').int(SLOW_MS));
        }
        return await afterwards('append', () => log.append(stream, batch));
      },
    },
    checkpoints: {
      get: (stream) => reading(() => checkpoints.get(stream)),
      compareAndSet: (stream, previous, next) =>
        afterwards('checkpoint', () => checkpoints.compareAndSet(stream, previous, next)),
    },
    leases: {
      acquire: (name, holder, ttlMs) => afterwards('lease', () => leases.acquire(name, holder, ttlMs)),
      renew: (held, holder, ttlMs) => afterwards('lease', () => leases.renew(held, holder, ttlMs)),
      release: (held, holder) => afterwards('lease', () => leases.release(held, holder)),
    },
    subscriptions: {
      ...subscriptions,
      acknowledge: (name, position, options) =>
        afterwards('subscription', () => subscriptions.acknowledge(name, position, options)),
    },
    feed: { ...feed, read: (after, options) => reading(() => feed.read(after, options)) },
  };
}

function failure(why: string, retryable: boolean): Mk8sError {
  return new Mk8sError(`Cannot use the simulated store: ${why}`, { code: 'storage', retryable });
}

// The store of a simulation in Firestore: the production code of lib/adapters/firestore over a database in memory that all simulated
// processes share. Each opens a store of its own, as processes on many machines do; there is no feed, so nothing tails.
import { type FirestoreStore, openFirestoreStore } from '../../lib/adapters/firestore/firestore-store.ts';
import { createMemoryDatabase } from '../support/memory-documents.ts';
import { overNetwork } from './firestore-network.ts';
import { tellFirestore } from './firestore-watch.ts';
import type { Dice } from './random.ts';
import { HOST, type SimStore, type StoreOptions } from './store.ts';

/** Firestore removes what is expired now and then: in hours, here sooner. Milliseconds. */
const SWEEP_EVERY_MS = 20_000;

/** In half of the worlds last states are folded early, and retention walks often: in those that last minutes neither would be seen. */
const early = { stream: 4, all: 8, frames: 5, page: 3, walkMs: 30_000 };

interface Options extends Omit<StoreOptions, 'name'> {
  readonly dice: Dice;
}

export function createFirestoreStore({ scheduler, faults, watcher, isAlive, isFull, dice }: Options): SimStore {
  const database = createMemoryDatabase();
  const tell = tellFirestore(watcher);
  const limits = dice.chance(0.5) ? { limits: early } : {};
  let closed = false;
  const own = database.open();
  const truth = openFirestoreStore({
    documents: own,
    clock: scheduler.clock(),
    host: 'nobody',
    isAlive,
    makeId: namesFrom(dice.fork('truth')),
  });

  async function sweep(): Promise<void> {
    for (const collection of ['frames', 'chunks']) {
      const where = [{ field: 'expireAt', is: '<', value: new Date(scheduler.now()) }] as const;
      const expired = await own.query({ collection, where, limit: 100 });
      if (expired.length > 0) await own.commit(expired.map(({ path }) => ({ kind: 'delete', path })));
    }
  }

  function sweepAgain(): void {
    scheduler.after(SWEEP_EVERY_MS, () => {
      if (closed) return;
      void sweep();
      sweepAgain();
    });
  }
  sweepAgain();

  /** Half of the processes are alone on their machine: nobody there can see whether they live. */
  const hostOf: SimStore['hostOf'] = (process) =>
    process.dice.fork('host').chance(0.5) ? HOST : `${HOST}-${process.pid}`;

  return {
    truth,
    hostOf,
    open(process) {
      const store = openFirestoreStore({
        documents: overNetwork(process, database.open(), { scheduler, faults, isFull, tell }),
        clock: process.clock,
        host: hostOf(process),
        isAlive,
        makeId: namesFrom(process.dice.fork('names')),
        ...limits,
      });
      return telling(store);

      /** Tells what is asked for; what becomes of it is told by the database. */
      function telling({ log, status, ...rest }: FirestoreStore): FirestoreStore {
        return {
          ...rest,
          log: {
            ...log,
            async position(stream) {
              const position = await log.position(stream);
              watcher.onPosition(process, stream, position);
              return position;
            },
            append(stream, batch) {
              watcher.onAppendBegins(process, stream);
              return log.append(stream, batch);
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
    },
    openFolder() {
      throw new RangeError('Firestore has no feed to tail');
    },
    close() {
      closed = true;
    },
  };
}

function namesFrom(dice: Dice): () => string {
  return () =>
    Array.from({ length: 4 }, () =>
      dice
        .int(2 ** 32)
        .toString(36)
        .padStart(7, '0'),
    ).join('');
}

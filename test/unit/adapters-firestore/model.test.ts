// Random histories, in Firestore and in memory: two processes take streams from each other, commits fail before or after they
// took effect, stores are closed and opened, and both must say the same.
import { expect, test } from 'vitest';
import { type FirestoreStore, openFirestoreStore } from '../../../lib/adapters/firestore/firestore-store.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { resourceVersion } from '../../../lib/model/resource-version.ts';
import { type ObjectKey, objectKey, type Revision } from '../../../lib/model/revision.ts';
import type { StreamRef } from '../../../lib/model/stream.ts';
import type { RevisionLog } from '../../../lib/ports/revision-log.ts';
import { change, collect, testStream } from '../../support/changes.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createMemoryDatabase } from '../../support/memory-documents.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const streams = [testStream('widgets'), testStream('gadgets'), testStream('widgets', 'c-2')];
const everything = { changes: 1_000_000, bytes: 1e12 };

/** Positions are each store's own. */
const plain = (revisions: readonly Revision[]) =>
  revisions.map((revision) => ({ ...revision, position: 0, object: Buffer.from(revision.object).toString() }));

async function view(log: RevisionLog) {
  const all: unknown[] = [];
  for (const stream of streams) {
    all.push(stream, await log.position(stream), plain(await log.read(stream, 0, everything)));
    const { sequence } = await log.position(stream);
    all.push(plain(await log.read(stream, Math.max(0, sequence - 7), { changes: 3, bytes: 1e9 })));
    for (let after: ObjectKey | undefined; ; ) {
      const page = await log.lastStates(stream, after, 3);
      const last = page.at(-1);
      if (last === undefined) break;
      all.push(page);
      after = objectKey(last.namespace, last.name);
    }
    for (let name = 0; name < 12; name++) {
      const key = objectKey(name % 2 === 0 ? 'ns' : '', `o${name}`);
      all.push(await log.lastState(stream, key), plain(await collect(log.revisionsOf(stream, key))));
    }
  }
  return all;
}

test.each([1, 2, 3, 4])(
  'promises 1 to 6: a random history (seed %i) is the same in Firestore as in memory, whoever writes and whatever fails',
  async (seed) => {
    const random = seededRandom(seed);
    const pick = (below: number): number => Math.floor(random() * below);
    const clock = createManualClock();
    const hasty = { now: () => clock.now(), sleep: () => Promise.resolve() };
    const memory = createMemoryStore(clock);
    const database = createMemoryDatabase();
    let failing = 0;
    database.fate = () => {
      const draw = random();
      return draw < failing ? 'fails' : draw < 2 * failing ? 'done, but fails' : 'done';
    };
    const open = (): FirestoreStore =>
      openFirestoreStore({ documents: database.open(), clock: hasty, host: 'here', isAlive: () => true });
    const stores = [open(), open()];
    const owners = streams.map(() => ({ which: 0, fence: 1 }));
    const epochs = [1, 1, 1];

    /** As the bridge does: what failed is asked for again. */
    async function persist<T>(ask: () => Promise<T>): Promise<T> {
      for (;;) {
        try {
          return await ask();
        } catch (error) {
          if (!(error instanceof Mk8sError) || !error.retryable) throw error;
        }
      }
    }

    async function appendBoth(index: number): Promise<void> {
      const stream = streams[index] as StreamRef;
      const owner = owners[index] as { which: number; fence: number };
      if (pick(6) === 0) Object.assign(owner, { which: 1 - owner.which, fence: owner.fence + 1 });
      if (pick(40) === 0) epochs[index] = (epochs[index] ?? 0) + 1;
      const changes = Array.from({ length: pick(6) }, () => {
        const name = pick(12);
        return change(`o${name}`, pick(300), {
          namespace: name % 2 === 0 ? 'ns' : '',
          type: pick(4) === 0 ? 'delete' : 'update',
          uid: `u${pick(3)}`,
          observedAt: clock.now(),
        });
      });
      const mark = pick(3) === 0 ? { resourceVersion: resourceVersion(String(pick(300))) } : {};
      const batch = { fence: owner.fence, epoch: epochs[index] ?? 1, changes, ...mark };
      const { log } = stores[owner.which] as FirestoreStore;
      await memory.log.append(stream, batch);
      await persist(() => log.append(stream, batch));
      if (owner.fence > 1 && pick(3) === 0) {
        const late = (stores[1 - owner.which] as FirestoreStore).log;
        const stale = { ...batch, fence: owner.fence - 1, changes: [change('o1', 999)] };
        await expect(persist(() => late.append(stream, stale))).rejects.toMatchObject({ code: 'fenced' });
      }
      // A bookmark is on record once a checkpoint says so.
      await publishBoth(index);
    }

    async function publishBoth(index: number): Promise<void> {
      const stream = streams[index] as StreamRef;
      const { which, fence } = owners[index] as { which: number; fence: number };
      const { checkpoints } = stores[which] as FirestoreStore;
      const { epoch, sequence, resourceVersion: rv } = await memory.log.position(stream);
      const reached = rv === undefined ? {} : { resourceVersion: rv };
      const next = { epoch, published: pick(sequence + 1), fence, updatedAt: 0, ...reached };
      await memory.checkpoints.compareAndSet(stream, await memory.checkpoints.get(stream), next);
      await persist(async () => checkpoints.compareAndSet(stream, await checkpoints.get(stream), next));
      expect(await checkpoints.get(stream)).toEqual(next);
    }

    for (let step = 0; step < 240; step++) {
      clock.advance(pick(10));
      failing = pick(3) === 0 ? 0.2 : 0;
      const which = pick(2);
      if (pick(25) > 0) await appendBoth(pick(3));
      else {
        failing = 0;
        await stores[which]?.close();
        stores[which] = open();
      }
      failing = 0;
      if (step % 60 === 59) {
        const expected = await view(memory.log);
        expect(await view((stores[which] as FirestoreStore).log)).toEqual(expected);
        expect(await view(open().log)).toEqual(expected);
      }
    }
    // Folded more than once, and by both.
    expect(database.paths().filter((path) => path.startsWith('pages/')).length).toBeGreaterThan(0);
  },
);

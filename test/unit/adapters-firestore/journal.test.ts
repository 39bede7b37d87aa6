// What the Firestore store costs, and who may write.
import { describe, expect, test } from 'vitest';
import { openFirestoreStore } from '../../../lib/adapters/firestore/firestore-store.ts';
import { resourceVersion } from '../../../lib/model/resource-version.ts';
import { objectKey } from '../../../lib/model/revision.ts';
import { brief, change, testStream } from '../../support/changes.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createMemoryDatabase, type MemoryDatabase } from '../../support/memory-documents.ts';

const everything = { changes: 1_000_000, bytes: 1e12 };

/** A clock whose sleepers are woken in order of time, as soon as nothing else happens. */
function swiftClock() {
  const clock = createManualClock();
  return {
    now: () => clock.now(),
    async sleep(ms: number) {
      const slept = clock.sleep(ms);
      setImmediate(() => clock.advance(ms));
      await slept;
    },
  };
}

const openOn = (database: MemoryDatabase, clock = swiftClock()) =>
  openFirestoreStore({ documents: database.open(), clock, host: 'here', isAlive: () => true });

describe('what is paid for', () => {
  test('a change that comes alone takes two writes with its checkpoint, and no read', async () => {
    const database = createMemoryDatabase();
    const { log, checkpoints } = openOn(database);
    const stream = testStream();
    const first = { epoch: 1, published: 1, fence: 1, updatedAt: 0, resourceVersion: resourceVersion('1') };
    await log.append(stream, { fence: 1, epoch: 1, changes: [change('a', 1)], resourceVersion: resourceVersion('1') });
    await checkpoints.compareAndSet(stream, undefined, first);
    const before = { ...database.counts };
    let previous = first;
    for (let rv = 2; rv < 60; rv += 1) {
      const reached = resourceVersion(String(rv));
      await log.append(stream, { fence: 1, epoch: 1, changes: [change(`o${rv % 9}`, rv)], resourceVersion: reached });
      const next = { ...previous, published: rv, resourceVersion: reached };
      await checkpoints.compareAndSet(stream, previous, next);
      previous = next;
    }
    expect(database.counts.writes - before.writes).toBe(2 * 58);
    expect(database.counts.reads).toBe(before.reads);
  });

  test('a hundred changes a second of a hundred streams take at most 0.2 writes each, and no read', async () => {
    const database = createMemoryDatabase();
    const clock = createManualClock();
    const hasty = {
      now: () => clock.now(),
      sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms, signal),
    };
    const { log, checkpoints } = openFirestoreStore({
      documents: database.open(),
      clock: hasty,
      host: 'here',
      isAlive: () => true,
    });
    const streams = Array.from({ length: 100 }, (_, i) => testStream(`kind${i}`));
    const checkpoint = (published: number) => ({ epoch: 1, published, fence: 1, updatedAt: 0 });
    const settled = async (work: readonly Promise<unknown>[]) => {
      const over = new AbortController();
      const all = Promise.all(work).finally(() => over.abort());
      while (!over.signal.aborted) {
        clock.advance(10);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await all;
    };
    await settled(streams.map((stream) => log.append(stream, { fence: 1, epoch: 1, changes: [change('a', 1)] })));
    await settled(streams.map((stream) => checkpoints.compareAndSet(stream, undefined, checkpoint(1))));
    const before = { ...database.counts };
    const work: Promise<unknown>[] = [];
    let changes = 0;
    // One change every 10 ms, each stream in turn: 100 a second, for 20 s.
    for (let rv = 2; rv < 22; rv += 1) {
      for (const stream of streams) {
        const published = checkpoint(rv);
        const batch = { fence: 1, epoch: 1, changes: [change(`o${rv % 5}`, rv)] };
        const publish = () => checkpoints.compareAndSet(stream, checkpoint(rv - 1), published);
        work.push(log.append(stream, batch).then(publish));
        changes += 1;
        clock.advance(10);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await settled(work);
    const { reads, writes } = database.counts;
    expect(changes).toBe(2000);
    expect((writes - before.writes) / changes).toBeLessThanOrEqual(0.2);
    expect(reads - before.reads).toBe(0);
  });

  test('last states are written to pages many at a time, and read back a page at a time', async () => {
    const database = createMemoryDatabase();
    const store = openOn(database);
    const stream = testStream();
    const objects = 20_000;
    for (let from = 0; from < objects; from += 500) {
      const changes = Array.from({ length: 500 }, (_, i) =>
        change(`o${String(from + i).padStart(6, '0')}`, from + i + 1),
      );
      await store.log.append(stream, { fence: 1, epoch: 1, changes });
    }
    await store.close();
    expect(database.counts.writes / objects).toBeLessThan(0.02);
    const { log } = openOn(database);
    const before = { ...database.counts };
    expect(await log.lastState(stream, objectKey('ns', 'o010000'))).toMatchObject({ sequence: 10_001 });
    let seen = 0;
    for (let after: ReturnType<typeof objectKey> | undefined; ; ) {
      const page = await log.lastStates(stream, after, 1000);
      const last = page.at(-1);
      if (last === undefined) break;
      seen += page.length;
      after = objectKey(last.namespace, last.name);
    }
    expect(seen).toBe(objects);
    expect(database.counts.reads - before.reads).toBeLessThan(250);
  });
});

describe('promise 6: one owner', () => {
  test('a commit that was delayed past a take-over has no effect, and its writer hears of it', async () => {
    const database = createMemoryDatabase();
    const [late, next] = [openOn(database), openOn(database)];
    const stream = testStream();
    await late.log.append(stream, { fence: 1, epoch: 1, changes: [change('a', 1)] });
    const { promise: held, resolve: release } = Promise.withResolvers<'done'>();
    const { promise: reached, resolve: arrive } = Promise.withResolvers<void>();
    database.fate = () => {
      database.fate = () => 'done';
      arrive();
      return held;
    };
    const delayed = late.log.append(stream, { fence: 1, epoch: 1, changes: [change('b', 2)] });
    await reached;
    await next.log.append(stream, { fence: 2, epoch: 1, changes: [change('c', 3)] });
    release('done');
    await expect(delayed).rejects.toMatchObject({ code: 'fenced' });
    expect(brief(await next.log.read(stream, 0, everything))).toEqual([
      [1, 'a', '1', 'update'],
      [2, 'c', '3', 'update'],
    ]);
  });

  test('who lost one stream goes on with the others', async () => {
    const database = createMemoryDatabase();
    const [first, second] = [openOn(database), openOn(database)];
    const [lost, kept] = [testStream('widgets'), testStream('gadgets')];
    for (const stream of [lost, kept]) {
      await first.log.append(stream, { fence: 1, epoch: 1, changes: [change('a', 1)] });
    }
    await second.log.append(lost, { fence: 2, epoch: 1, changes: [change('b', 2)] });
    const [late, fine] = await Promise.allSettled([
      first.log.append(lost, { fence: 1, epoch: 1, changes: [change('c', 3)] }),
      first.log.append(kept, { fence: 1, epoch: 1, changes: [change('d', 4)] }),
    ]);
    expect(late).toMatchObject({ status: 'rejected', reason: { code: 'fenced' } });
    expect(fine).toMatchObject({ status: 'fulfilled', value: [{ sequence: 2 }] });
    expect(brief(await second.log.read(kept, 0, everything))).toEqual([
      [1, 'a', '1', 'update'],
      [2, 'd', '4', 'update'],
    ]);
  });
});

test('promise 1: a commit whose answer was lost is recorded once when it is asked for again', async () => {
  const database = createMemoryDatabase();
  const { log } = openOn(database);
  const stream = testStream();
  const batch = { fence: 1, epoch: 1, changes: [change('a', 1), change('b', 2)] };
  await log.append(stream, { ...batch, changes: [] });
  database.fate = () => {
    database.fate = () => 'done';
    return 'done, but fails';
  };
  await expect(log.append(stream, batch)).rejects.toMatchObject({ code: 'storage', retryable: true });
  expect(await log.append(stream, batch)).toEqual([]);
  expect(brief(await log.read(stream, 0, everything))).toEqual([
    [1, 'a', '1', 'update'],
    [2, 'b', '2', 'update'],
  ]);
});

// What retention leaves of a stream: where it stands and its checkpoint, in whatever frames these are.
import { expect, test } from 'vitest';
import { type FirestoreStore, openFirestoreStore } from '../../../lib/adapters/firestore/firestore-store.ts';
import { resourceVersion } from '../../../lib/model/resource-version.ts';
import { change, testStream } from '../../support/changes.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createMemoryDatabase, type MemoryDatabase } from '../../support/memory-documents.ts';

const stream = testStream('widgets');
const day = 24 * 3_600_000;

function open(database: MemoryDatabase, now: () => number): FirestoreStore {
  const clock = { now, sleep: () => Promise.resolve() };
  return openFirestoreStore({ documents: database.open(), clock, host: 'here', isAlive: () => true });
}

/** What Firestore's TTL does. */
async function removeExpired(database: MemoryDatabase, now: number): Promise<void> {
  const documents = database.open();
  const where = [{ field: 'expireAt', is: '<', value: new Date(now) }] as const;
  const expired = await documents.query({ collection: 'frames', where, limit: 1000 });
  await documents.commit(expired.map(({ path }) => ({ kind: 'delete', path })));
}

test.each([
  ['its owner', true],
  ['another process', false],
])('promises 2 and 4: retention by %s leaves a stream its sequence and its checkpoint', async (_who, own) => {
  const clock = createManualClock();
  const database = createMemoryDatabase();
  const store = open(database, () => clock.now());
  const at = { fence: 1, epoch: 1, resourceVersion: resourceVersion('12') };
  const gone = change('a', 12, { type: 'delete', observedAt: clock.now() });
  await store.log.append(stream, { ...at, changes: [change('a', 11, { observedAt: clock.now() }), gone] });
  const checkpoint = { ...at, published: 2, updatedAt: 0 };
  await store.checkpoints.compareAndSet(stream, undefined, checkpoint);

  clock.advance(2 * day);
  const { removed } = await (own ? store : open(database, () => clock.now())).retain({ maxAgeMs: day }, 100);
  clock.advance(1);
  await removeExpired(database, clock.now());

  const later = open(database, () => clock.now());
  expect(await later.log.position(stream)).toMatchObject({ epoch: 1, sequence: 2, resourceVersion: '12' });
  expect(await later.checkpoints.get(stream)).toEqual(checkpoint);
  // What is not folded stays until its owner has done so.
  expect(removed).toBe(own ? 2 : 0);
});

test('promise 4: a checkpoint moves the position that only a bookmark had reached, also after its writer began anew', async () => {
  const clock = createManualClock();
  const database = createMemoryDatabase();
  const store = open(database, () => clock.now());
  await store.log.append(stream, {
    fence: 1,
    epoch: 1,
    changes: [change('a', 11)],
    resourceVersion: resourceVersion('11'),
  });
  await store.log.append(stream, { fence: 1, epoch: 1, changes: [], resourceVersion: resourceVersion('15') });
  database.fate = () => 'fails';
  await expect(store.log.append(stream, { fence: 1, epoch: 1, changes: [change('b', 16)] })).rejects.toMatchObject({
    retryable: true,
  });
  database.fate = () => 'done';
  const checkpoint = { fence: 1, epoch: 1, published: 1, updatedAt: 0, resourceVersion: resourceVersion('15') };
  await store.checkpoints.compareAndSet(stream, undefined, checkpoint);
  expect(await store.log.position(stream)).toMatchObject({ resourceVersion: '15' });
});

// What a bookmark moves is in memory alone until a checkpoint says so.
import { expect, test } from 'vitest';
import { openFirestoreStore } from '../../../lib/adapters/firestore/firestore-store.ts';
import { resourceVersion } from '../../../lib/model/resource-version.ts';
import { change, testStream } from '../../support/changes.ts';
import { createMemoryDatabase } from '../../support/memory-documents.ts';

const stream = testStream();

test('promise 4: a checkpoint moves the position that only a bookmark had reached, also after its writer began anew', async () => {
  const database = createMemoryDatabase();
  const clock = { now: () => 0, sleep: () => Promise.resolve() };
  const store = openFirestoreStore({ documents: database.open(), clock, host: 'here', isAlive: () => true });
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

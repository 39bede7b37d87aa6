// The list of streams, by which a run finds those whose resource ended while nobody followed them.
import { expect, test } from 'vitest';
import { openFirestoreStore } from '../../../lib/adapters/firestore/firestore-store.ts';
import { change, testStream } from '../../support/changes.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createMemoryDatabase } from '../../support/memory-documents.ts';

test('promise 1: a stream that another process began a moment ago is listed', async () => {
  const database = createMemoryDatabase();
  const open = () => {
    const clock = createManualClock();
    return openFirestoreStore({ documents: database.open(), clock, host: 'here', isAlive: () => true });
  };
  const [one, other] = [open(), open()];
  const stream = testStream('widgets');
  expect(await one.log.streams(stream.cluster)).toEqual([]);
  await other.log.append(stream, { fence: 1, epoch: 1, changes: [change('a', 1)] });
  const { reads } = database.counts;
  expect(await one.log.streams(stream.cluster)).toEqual([stream]);
  expect(database.counts.reads - reads).toBe(1);
});

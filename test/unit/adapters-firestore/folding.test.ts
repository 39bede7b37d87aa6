// Folding goes on beside everything else, and ends with the store.
import { expect, test } from 'vitest';
import { openFirestoreStore } from '../../../lib/adapters/firestore/firestore-store.ts';
import { change, testStream } from '../../support/changes.ts';
import { createMemoryDatabase } from '../../support/memory-documents.ts';

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
}

test('a store that is closed in the middle of a fold waits for it: else the pages before it would stay for ever', async () => {
  const database = createMemoryDatabase();
  const clock = { now: () => 0, sleep: (ms: number) => (ms < 1_000 ? Promise.resolve() : new Promise<void>(() => {})) };
  const limits = { stream: 2, all: 100, frames: 100, page: 100 };
  const store = openFirestoreStore({ documents: database.open(), clock, host: 'here', isAlive: () => true, limits });
  const append = (...names: string[]) =>
    store.log.append(testStream('widgets'), { fence: 1, epoch: 1, changes: names.map((name) => change(name, 1)) });
  let isClosed = false;
  let late = 0;
  await append('a', 'b');
  database.fate = async () => {
    await turns(20);
    late += Number(isClosed);
    return 'done' as const;
  };
  await append('c', 'd');
  await store.close();
  isClosed = true;
  await turns(200);

  expect(late).toBe(0);
  expect(database.paths().filter((path) => path.startsWith('pages/'))).toHaveLength(1);
});

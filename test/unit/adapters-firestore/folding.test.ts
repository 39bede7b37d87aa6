// Folding goes on beside everything else, and ends with the store.
import { expect, test } from 'vitest';
import type { Documents } from '../../../lib/adapters/firestore/documents.ts';
import { openFirestoreStore } from '../../../lib/adapters/firestore/firestore-store.ts';
import { streamPath } from '../../../lib/adapters/firestore/head.ts';
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

test('promise 1: last states that are folded while they are listed are in the list all the same', async () => {
  const database = createMemoryDatabase();
  const clock = { now: () => 0, sleep: () => Promise.resolve() };
  const stream = testStream('widgets');
  const open = (documents: Documents) => {
    const limits = { stream: 2, all: 100, frames: 100, page: 1 };
    return openFirestoreStore({ documents, clock, host: 'here', isAlive: () => true, limits });
  };
  const before = open(database.open());
  const append = (store: typeof before, fence: number, ...names: string[]) =>
    store.log.append(stream, { fence, epoch: 1, changes: names.map((name) => change(name, 1)) });
  await append(before, 1, 'a', 'b');
  await append(before, 1, 'c');
  await before.close();

  // Another process, which has not read the pages yet: the first one that it asks for takes its time.
  const documents = database.open();
  const asked = Promise.withResolvers<void>();
  const read = Promise.withResolvers<void>();
  let pagesRead = 0;
  const store = open({
    ...documents,
    async get(paths) {
      const found = await documents.get(paths);
      if (paths.some((path) => path.startsWith('pages/')) && ++pagesRead === 1) {
        asked.resolve();
        await read.promise;
      }
      return found;
    },
  });
  await append(store, 2);
  const listed = store.log.lastStates(stream, undefined, 10);
  await asked.promise;
  await append(store, 2, 'd');
  const folded = await database.open().get([streamPath(stream)]);
  await turns(50);
  read.resolve();
  expect((await listed).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  expect((await database.open().get([streamPath(stream)]))[0]?.version).not.toBe(folded[0]?.version);
  await store.close();
});

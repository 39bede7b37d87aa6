// Forgetting old frames in Firestore: by a time to expire, never what is needed.
import { expect, test } from 'vitest';
import { openFirestoreStore } from '../../../lib/adapters/firestore/firestore-store.ts';
import { objectKey } from '../../../lib/model/revision.ts';
import { change, testStream } from '../../support/changes.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createMemoryDatabase } from '../../support/memory-documents.ts';

const DAY = 24 * 3_600_000;
const stream = testStream();

function world() {
  const clock = createManualClock();
  const database = createMemoryDatabase();
  const hasty = { now: () => clock.now(), sleep: () => Promise.resolve() };
  /** Paths of documents that stores asked for. */
  const reads: string[] = [];
  const open = () => {
    const documents = database.open();
    const get: typeof documents.get = (paths) => {
      reads.push(...paths);
      return documents.get(paths);
    };
    return openFirestoreStore({ documents: { ...documents, get }, clock: hasty, host: 'here', isAlive: () => true });
  };
  let store = open();
  return {
    clock,
    open,
    reads,
    get store() {
      return store;
    },
    /** Another run: the one before has folded what it said. */
    async next() {
      await store.close();
      store = open();
    },
    /** Each in a commit, and so in a frame, of its own. */
    async append(...changes: ReturnType<typeof change>[]) {
      for (const one of changes) await store.log.append(stream, { fence: 1, epoch: 1, changes: [one] });
    },
    async publishAll() {
      const { sequence } = await store.log.position(stream);
      const previous = await store.checkpoints.get(stream);
      const next = { epoch: 1, published: sequence, fence: 1, updatedAt: clock.now() };
      await store.checkpoints.compareAndSet(stream, previous, next);
    },
    /** `NAME at RESOURCEVERSION` of the revisions in frames that have no time to expire. */
    async kept(): Promise<string[]> {
      const documents = database.open();
      const frames = await documents.query({ collection: 'frames', where: [], limit: 1000 });
      const expiring = new Set(
        frames.filter(({ fields }) => fields['expireAt'] !== undefined).map(({ fields }) => Number(fields['position'])),
      );
      const all = await open().log.read(stream, 0, { changes: 1000, bytes: 1e9 });
      return all
        .filter(({ position }) => !expiring.has(position))
        .map(({ name, resourceVersion: rv }) => `${name} ${rv}`);
    },
  };
}

const at = (clock: { now(): number }) => ({ observedAt: clock.now() });

test('a frame expires once all of it is superseded, published, folded and old', async () => {
  const here = world();
  const { clock } = here;
  await here.append(change('a', 1, at(clock)), change('a', 2, at(clock)), change('b', 3, at(clock)));
  clock.advance(10 * DAY);
  await here.append(change('a', 4, at(clock)));
  const policy = { maxAgeMs: 5 * DAY };
  await here.next();
  await here.store.retain(policy, 100);
  // Nothing is published yet.
  expect(await here.kept()).toHaveLength(4);
  await here.publishAll();
  clock.advance(DAY);
  await here.store.retain(policy, 100);
  // The last state of b is as old, and b lives.
  expect(await here.kept()).toEqual(['b 3', 'a 4']);
});

test('what says where a stream stands stays until it is folded', async () => {
  const here = world();
  const { clock } = here;
  await here.append(change('a', 1, at(clock)), change('a', 2, at(clock)));
  await here.publishAll();
  clock.advance(10 * DAY);
  expect(await here.store.retain({ maxAgeMs: DAY }, 100)).toEqual({ removed: 0, done: true });
  expect(await here.open().checkpoints.get(stream)).toMatchObject({ published: 2 });
});

test('so many revisions of an object stay, however old', async () => {
  const here = world();
  for (let rv = 1; rv <= 6; rv += 1) await here.append(change('a', rv, at(here.clock)));
  await here.publishAll();
  await here.next();
  await here.store.retain({ maxRevisionsPerObject: 2 }, 100);
  expect(await here.kept()).toEqual(['a 5', 'a 6']);
});

test('a tombstone goes by age, and with it all memory of its object', async () => {
  const here = world();
  const { clock } = here;
  await here.append(
    change('a', 1, at(clock)),
    change('a', 2, { ...at(clock), type: 'delete' }),
    change('b', 3, at(clock)),
  );
  await here.publishAll();
  await here.next();
  await here.store.retain({ maxRevisionsPerObject: 1 }, 100);
  expect(await here.store.log.lastState(stream, objectKey('ns', 'a'))).toMatchObject({ deleted: true });
  clock.advance(10 * DAY);
  // Whoever owns the stream may forget.
  await here.append(change('b', 4, at(clock)));
  await here.store.retain({ maxAgeMs: 5 * DAY }, 100);
  expect(await here.kept()).toEqual(['b 4']);
  expect(await here.store.log.lastState(stream, objectKey('ns', 'a'))).toBeUndefined();
  expect(await here.store.log.position(stream)).toMatchObject({ objects: 1, sequence: 4 });
});

test('a walk goes on where the last call stopped, also in another process, and comes once a day', async () => {
  const here = world();
  const { clock } = here;
  for (let rv = 1; rv <= 10; rv += 1) await here.append(change('a', rv, at(clock)));
  await here.publishAll();
  await here.next();
  clock.advance(10 * DAY);
  const policy = { maxAgeMs: 5 * DAY };
  expect(await here.store.retain(policy, 4)).toEqual({ removed: 4, done: false });
  expect(await here.open().retain(policy, 4)).toEqual({ removed: 4, done: false });
  expect(await here.open().retain(policy, 4)).toEqual({ removed: 1, done: true });
  expect(await here.kept()).toEqual(['a 10']);
  expect(await here.open().retain({ maxRevisionsPerObject: 1 }, 4)).toEqual({ removed: 0, done: true });
  clock.advance(DAY);
  expect(await here.open().retain({ maxRevisionsPerObject: 1 }, 4)).toMatchObject({ done: false });
});

test('a walk reads the document of a stream once, however many of its frames it looks at', async () => {
  const here = world();
  for (let rv = 1; rv <= 5; rv += 1) await here.append(change('a', rv, at(here.clock)));
  await here.publishAll();
  await here.next();
  const before = here.reads.filter((path) => path.startsWith('streams/')).length;
  await here.store.retain({ maxRevisionsPerObject: 1 }, 100);
  const after = here.reads.filter((path) => path.startsWith('streams/')).length;
  expect(after - before).toBe(1);
  expect(await here.kept()).toEqual(['a 5']);
});

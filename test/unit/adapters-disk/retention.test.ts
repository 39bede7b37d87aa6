// Forgetting: what goes, what never goes, and what readers see of it.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DataFolder } from '../../../lib/adapters/disk/data-folder.ts';
import { objectKey } from '../../../lib/model/revision.ts';
import type { RetentionPolicy } from '../../../lib/ports/retention.ts';
import { brief, change, collect, testStream } from '../../support/changes.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { append, dataPath, everything, openFolder } from './open-folder.ts';

const stream = testStream();
const minute = 60_000;

async function publish(folder: DataFolder, published: number, ref = stream): Promise<void> {
  const previous = await folder.checkpoints.get(ref);
  await folder.checkpoints.compareAndSet(ref, previous, { epoch: 1, published, fence: 1, updatedAt: 0 });
}

/** Steps with a budget of one frame until the walk is through; gives the number of removed revisions. */
async function retainAll(folder: DataFolder, policy: RetentionPolicy): Promise<number> {
  for (let removed = 0; ; ) {
    const step = await folder.retain(policy, 1);
    removed += step.removed;
    if (step.done) return removed;
  }
}

const sequences = async (folder: DataFolder, ref = stream) =>
  (await folder.log.read(ref, 0, everything)).map((revision) => revision.sequence);

/** An open folder and its clock; changes made `at` minutes after its start. */
async function setUp() {
  const clock = createManualClock(0);
  const path = await dataPath();
  const folder = openFolder(path, { clock });
  const at = (minutes: number, name: string, rv: number, type: 'update' | 'delete' = 'update') =>
    change(name, rv, { type, observedAt: minutes * minute });
  return { clock, path, folder, at };
}

describe('retention by age', () => {
  test('removes superseded revisions and tombstones that are old; a deleted object is forgotten', async () => {
    const { clock, folder, at } = await setUp();
    await append(folder, [at(0, 'a', 1), at(0, 'b', 2), at(1, 'a', 3), at(1, 'b', 4, 'delete'), at(9, 'a', 5)]);
    await append(folder, [at(9, 'c', 6), at(10, 'c', 7, 'delete')]);
    await publish(folder, 7);
    clock.advance(11 * minute);
    expect(await retainAll(folder, { maxAgeMs: 5 * minute })).toBe(4);
    expect(brief(await folder.log.read(stream, 0, everything))).toEqual([
      [5, 'a', '5', 'update'],
      [6, 'c', '6', 'update'],
      [7, 'c', '7', 'delete'],
    ]);
    expect(await folder.log.lastState(stream, objectKey('ns', 'b'))).toBeUndefined();
    expect(await folder.log.lastState(stream, objectKey('ns', 'c'))).toMatchObject({ deleted: true });
    expect(await collect(folder.log.revisionsOf(stream, objectKey('ns', 'a')))).toHaveLength(1);
    expect(await folder.log.position(stream)).toMatchObject({ sequence: 7, objects: 1 });
    expect(await folder.feed.head()).toBe(7);
    expect([await folder.feed.tail(), await folder.feed.thinned()]).toEqual([4, 4]);
  });

  test('promise 1: the last revision of a live object stays however old it is', async () => {
    const { clock, folder, at } = await setUp();
    await append(folder, [at(0, 'a', 1)]);
    await publish(folder, 1);
    clock.advance(1e12);
    expect(await retainAll(folder, { maxAgeMs: 0 })).toBe(0);
    expect(await sequences(folder)).toEqual([1]);
    expect([await folder.feed.tail(), await folder.feed.thinned()]).toEqual([0, 0]);
  });

  test('promise 10: a live object from the beginning keeps the tail there; what is gone above it is told', async () => {
    const { clock, folder, at } = await setUp();
    await append(folder, [at(0, 'still', 1), at(0, 'a', 2), at(0, 'a', 3, 'delete'), at(9, 'b', 4)]);
    await publish(folder, 4);
    clock.advance(10 * minute);
    await retainAll(folder, { maxAgeMs: 5 * minute });
    expect(await sequences(folder)).toEqual([1, 4]);
    expect([await folder.feed.tail(), await folder.feed.thinned()]).toEqual([0, 3]);
  });

  test('promise 4: what is not published stays, also without any checkpoint', async () => {
    const { clock, folder, at } = await setUp();
    await append(
      folder,
      [1, 2, 3, 4].map((rv) => at(0, 'a', rv)),
    );
    clock.advance(1e12);
    expect(await retainAll(folder, { maxAgeMs: 0 })).toBe(0);
    await publish(folder, 2);
    expect(await retainAll(folder, { maxAgeMs: 0 })).toBe(2);
    expect(await sequences(folder)).toEqual([3, 4]);
  });

  test('promise 2: positions go on growing after the newest revisions were removed', async () => {
    const { clock, folder, at } = await setUp();
    await append(folder, [at(0, 'a', 1), at(0, 'a', 2, 'delete')]);
    await publish(folder, 2);
    clock.advance(1e12);
    expect(await retainAll(folder, { maxAgeMs: 0 })).toBe(2);
    expect(await folder.feed.read(0, { bytes: 1 })).toEqual({ revisions: [], position: 2, atEnd: true });
    expect(await append(folder, [at(0, 'a', 3)])).toMatchObject([{ sequence: 3, position: 3, previous: 0 }]);
  });

  test('dead letters go by age too', async () => {
    const { clock, folder } = await setUp();
    const letter = { sink: 's', stream: 'x', sequence: 1, reason: '400' };
    await folder.deadLetters.put({ ...letter, id: 'old', at: 0 });
    await folder.deadLetters.put({ ...letter, id: 'new', at: 9 * minute });
    clock.advance(10 * minute);
    await retainAll(folder, { maxAgeMs: 5 * minute });
    expect(await folder.deadLetters.list(10)).toMatchObject([{ id: 'new' }]);
  });
});

describe('retention by number', () => {
  test('keeps so many newest revisions of each object, tombstones among them', async () => {
    const { folder, at } = await setUp();
    await append(
      folder,
      [1, 2, 3, 4, 5].flatMap((rv) => [at(0, 'a', rv), at(0, `once${rv}`, rv)]),
    );
    await append(folder, [at(0, 'once1', 9, 'delete')]);
    await publish(folder, 11);
    expect(await retainAll(folder, { maxRevisionsPerObject: 2 })).toBe(3);
    expect(await collect(folder.log.revisionsOf(stream, objectKey('ns', 'a')))).toHaveLength(2);
    expect(await collect(folder.log.revisionsOf(stream, objectKey('ns', 'once1')))).toHaveLength(2);
    expect(await retainAll(folder, { maxRevisionsPerObject: 1 })).toBe(2);
    expect(brief(await folder.log.read(stream, 0, everything)).map(([sequence]) => sequence)).toEqual([
      4, 6, 8, 9, 10, 11,
    ]);
  });

  test('without a policy nothing goes', async () => {
    const { folder, at } = await setUp();
    await append(folder, [at(0, 'a', 1), at(0, 'a', 2)]);
    await publish(folder, 2);
    expect(await retainAll(folder, {})).toBe(0);
    expect(await sequences(folder)).toEqual([1, 2]);
  });
});

test('promise 7: each step looks at a bounded part of the log and goes on where the last one stopped', async () => {
  const { folder, at, path } = await setUp();
  for (let rv = 1; rv <= 5; rv++) await append(folder, [at(0, 'a', rv)]);
  await publish(folder, 5);
  const policy = { maxRevisionsPerObject: 1 };
  expect(await folder.retain(policy, 2)).toEqual({ removed: 2, done: false });
  await folder.close();
  const again = openFolder(path);
  expect(await again.retain(policy, 2)).toEqual({ removed: 2, done: false });
  expect(await again.retain(policy, 2)).toEqual({ removed: 0, done: true });
  expect(await sequences(again)).toEqual([5]);
});

test('promise 7: by age alone a walk ends at the first revisions that are young, and begins again at the oldest', async () => {
  const { clock, folder, at } = await setUp();
  for (let n = 1; n <= 10; n++) await append(folder, [at(n, 'a', n)]);
  await publish(folder, 10);
  clock.advance(8 * minute + 1);
  const policy = { maxAgeMs: 5 * minute };
  expect(await folder.retain(policy, 8)).toEqual({ removed: 3, done: true });
  clock.advance(minute);
  expect(await folder.retain(policy, 8)).toEqual({ removed: 1, done: true });
  expect(await sequences(folder)).toEqual([5, 6, 7, 8, 9, 10]);
});

test('what was recorded under a clock that ran ahead does not keep the rest from being removed', async () => {
  const { clock, folder, at } = await setUp();
  await append(folder, [at(1e6, 'ahead', 1)]);
  await append(folder, [at(1, 'a', 2)]);
  await append(folder, [at(2, 'a', 3)]);
  await publish(folder, 3);
  clock.advance(10 * minute);
  expect(await retainAll(folder, { maxAgeMs: 5 * minute })).toBe(1);
  expect(await sequences(folder)).toEqual([1, 3]);
});

test('promise 7: a step looks at fewer frames where they are large', async () => {
  const { folder, at } = await setUp();
  const large = (rv: number) => ({ ...at(0, 'a', rv), object: new Uint8Array(3 * 1024 * 1024) });
  for (let rv = 1; rv <= 6; rv++) await append(folder, [large(rv)]);
  await publish(folder, 6);
  const policy = { maxRevisionsPerObject: 1 };
  expect(await folder.retain(policy, 100)).toEqual({ removed: 2, done: false });
  expect(await folder.retain(policy, 100)).toEqual({ removed: 2, done: false });
  expect(await retainAll(folder, policy)).toBe(1);
});

test('readers in the middle of a thinned log read on', async () => {
  const { folder, at } = await setUp();
  const gadgets = testStream('gadgets');
  for (let rv = 1; rv <= 30; rv++) {
    await append(folder, [at(0, `o${rv % 4}`, rv), at(0, `o${rv % 3}`, 100 + rv)]);
    await append(folder, [at(0, 'x', rv)], gadgets);
  }
  await publish(folder, (await folder.log.position(stream)).sequence);
  const reader = openFolder(folder.path, { readOnly: true });
  const before = (await reader.feed.read(0, { bytes: 1e9 })).revisions;
  await retainAll(folder, { maxRevisionsPerObject: 2 });
  const after = (await reader.feed.read(0, { bytes: 1e9 })).revisions;
  expect(after.length).toBeLessThan(before.length);
  expect(before).toEqual(expect.arrayContaining([...after]));
  for (let position = 0; position <= 90; position++) {
    const { revisions } = await reader.feed.read(position, { bytes: 1e9 });
    expect(revisions).toEqual(after.filter((revision) => revision.position > position));
  }
});

test('space is given back', async () => {
  const { folder, path } = await setUp();
  const fill = (rv: number) =>
    append(
      folder,
      Array.from({ length: 20 }, (_, i) =>
        change(`o${i}`, rv * 20 + i, { object: crypto.getRandomValues(new Uint8Array(50_000)) }),
      ),
    );
  for (let rv = 0; rv < 20; rv++) await fill(rv);
  await publish(folder, 400);
  await folder.close();
  const file = join(path, 'mk8s.db');
  const before = statSync(file).size;
  const again = openFolder(path);
  await retainAll(again, { maxRevisionsPerObject: 1 });
  await again.close();
  expect(statSync(file).size).toBeLessThan(before / 4);
});

test('promise 1: two processes that thin one log do not bring back what the other removed', async () => {
  const { folder, at, path } = await setUp();
  const other = openFolder(path);
  await append(folder, [at(0, 'a', 1), at(0, 'a', 2), at(0, 'a', 3), at(0, 'a', 4)]);
  await publish(folder, 4);
  // The other one has the frame in memory when it is thinned.
  expect(await sequences(other)).toEqual([1, 2, 3, 4]);
  expect(await retainAll(folder, { maxRevisionsPerObject: 2 })).toBe(2);
  expect(await sequences(other)).toEqual([3, 4]);
  await append(other, [at(0, 'b', 1)]);
  await publish(folder, 5);
  expect(await retainAll(other, { maxRevisionsPerObject: 1 })).toBe(1);
  expect(await sequences(folder)).toEqual([4, 5]);
});

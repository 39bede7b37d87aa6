// The comparison of a live set with the record, on the memory store: what it finds, in what order, and in how much memory.
import { describe, expect, test } from 'vitest';
import { recordReader } from '../../../lib/bridge/recorder.ts';
import { resourceVersion } from '../../../lib/model/resource-version.ts';
import { compareObjectKeys, type Observed, objectKey, type ScannedObject } from '../../../lib/model/revision.ts';
import { startReconcile } from '../../../lib/watch/reconcile.ts';
import type { RecordReader } from '../../../lib/watch/record-reader.ts';
import { change, testStream } from '../../support/changes.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';
import { pick, seededRandom, testSeed } from '../../support/seeded-random.ts';

const rv = resourceVersion;
const stream = testStream();

/** Records changes in an epoch and gives the store. */
async function recorded(changes: readonly Observed[], epoch = 1): Promise<MemoryStore> {
  const store = createMemoryStore(createManualClock());
  await store.log.append(stream, { fence: 1, epoch, changes });
  return store;
}

const live = (name: string, version: number, more: Partial<ScannedObject> = {}): ScannedObject => {
  const { type: _, origin: __, asOf: ___, observedAt: ____, ...object } = change(name, version, more);
  return { ...object, ...more };
};
const add = (name: string, version: number, more: Parameters<typeof change>[2] = {}): Observed =>
  change(name, version, { type: 'add', ...more });

interface Walk {
  readonly origin?: Observed['origin'];
  readonly epoch?: number;
  readonly asOf?: string;
}

/** Compares pages with the store's record, records what is found as a recorder does, and tells it. */
async function compare(
  store: MemoryStore,
  pages: readonly (readonly ScannedObject[])[],
  walk: Walk = {},
): Promise<string[]> {
  const { origin = 'relist', epoch = 1, asOf = '1000' } = walk;
  const reconcile = startReconcile(recordReader(store.log, stream), { origin, epoch, now: () => 0 });
  const told: string[] = [];
  const take = async (changes: readonly Observed[]): Promise<void> => {
    const revisions = await store.log.append(stream, { fence: 1, epoch, changes });
    told.push(...revisions.map(({ type, name, resourceVersion: at }) => `${type} ${name}@${at}`));
  };
  for (const page of pages) {
    await take(await reconcile.take(page, false));
    for await (const tombstones of reconcile.flush(rv(asOf))) await take(tombstones);
  }
  for await (const tombstones of reconcile.finish(rv(asOf))) await take(tombstones);
  return told;
}

describe('a comparison of the live set with the record', () => {
  test('promise 1: finds what was added, changed and deleted, and passes over what is the same', async () => {
    const store = await recorded([add('a', 1), add('b', 2), add('c', 3), add('e', 4)]);
    const told = await compare(store, [[live('a', 1), live('b', 20)], [live('d', 30)]]);
    expect(told).toEqual(['update b@20', 'add d@30', 'delete c@3', 'delete e@4']);
  });

  test('a tombstone carries the last known object, its uid and resourceVersion, and says since when it is absent', async () => {
    const store = await recorded([add('a', 1), change('a', 7, { object: '{"last":true}' })]);
    await compare(store, [], { asOf: '99' });
    const [tombstone] = await store.log.read(stream, 2, { changes: 1, bytes: 1 });
    expect(tombstone).toMatchObject({
      type: 'delete',
      uid: 'uid-a',
      resourceVersion: '7',
      asOf: '99',
      origin: 'relist',
      manager: '',
    });
    expect(Buffer.from(tombstone?.object ?? []).toString()).toBe('{"last":true}');
  });

  test('promise 2: an object made anew under the same name is deleted first, then added', async () => {
    const store = await recorded([add('a', 1, { uid: 'old' })]);
    expect(await compare(store, [[live('a', 9, { uid: 'new' })]])).toEqual(['delete a@1', 'add a@9']);
    const revisions = await store.log.read(stream, 1, { changes: 9, bytes: 9e9 });
    expect(revisions.map(({ uid }) => uid)).toEqual(['old', 'new']);
  });

  test('promise 10: in a restored cluster an equal resourceVersion with other bytes is a change, with equal bytes none', async () => {
    const store = await recorded([add('a', 5, { object: '{"v":1}' }), add('b', 6, { object: '{"v":1}' })]);
    await store.log.append(stream, { fence: 1, epoch: 2, changes: [] });
    const bytes = (text: string): Partial<ScannedObject> => ({ object: Buffer.from(text) });
    const told = await compare(store, [[live('a', 5, bytes('{"v":2}')), live('b', 6, bytes('{"v":1}'))]], { epoch: 2 });
    expect(told).toEqual(['update a@5']);
  });

  test('promise 10: in a restored cluster an older state, an older life and an absence are all recorded', async () => {
    const store = await recorded([add('a', 50), add('b', 60, { uid: 'late' }), add('c', 70)]);
    await store.log.append(stream, { fence: 1, epoch: 2, changes: [] });
    const told = await compare(store, [[live('a', 5), live('b', 6, { uid: 'early' })]], { epoch: 2, asOf: '40' });
    expect(told).toEqual(['update a@5', 'delete b@60', 'add b@6', 'delete c@70']);
  });

  test.each([
    ['that the record lacks', live('b', 40)],
    ['that the record has in another state', live('a', 40)],
    ['that the record has as another object', live('a', 40, { uid: 'other' })],
    ['that the record has in a later state', live('c', 29)],
  ])(
    'promise 10: an object %s, and that is not newer than the recorded position, shows a restore',
    async (_, object) => {
      const store = await recorded([add('a', 1), add('c', 30)]);
      const context = { origin: 'relist', epoch: 1, position: rv('40'), now: () => 0 } as const;
      const reconcile = startReconcile(recordReader(store.log, stream), context);
      expect(await reconcile.take([object], false)).toEqual([]);
      expect(reconcile.wentBack).toBe(true);
    },
  );

  test('promise 10: another object at the resourceVersion of the recorded one shows a restore, also in a first sync', async () => {
    const store = await recorded([add('a', 5), add('b', 22, { uid: 'old' })]);
    const reconcile = startReconcile(recordReader(store.log, stream), { origin: 'snapshot', epoch: 1, now: () => 0 });
    expect(await reconcile.take([live('a', 5), live('b', 22, { uid: 'new' })], false)).toEqual([]);
    expect(reconcile.wentBack).toBe(true);
    await store.log.append(stream, { fence: 1, epoch: 2, changes: [] });
    const told = await compare(store, [[live('a', 5), live('b', 22, { uid: 'new' })]], { epoch: 2 });
    expect(told).toEqual(['delete b@22', 'add b@22']);
  });

  test('an object that is as recorded, or newer than the recorded position, shows none', async () => {
    const store = await recorded([add('a', 1), add('c', 30)]);
    const context = { origin: 'relist', epoch: 1, position: rv('40'), now: () => 0 } as const;
    const reconcile = startReconcile(recordReader(store.log, stream), context);
    expect(await reconcile.take([live('a', 1), live('b', 41), live('c', 42)], false)).toHaveLength(2);
    expect(reconcile.wentBack).toBe(false);
    // Where changes that alter nothing are left out, an object may have moved on within the position.
    const sparse = startReconcile(recordReader(store.log, stream, { sparse: true }), context);
    const noop = JSON.parse(Buffer.from(live('a', 1).object).toString()) as { metadata: Record<string, unknown> };
    const object = Buffer.from(JSON.stringify({ ...noop, metadata: { ...noop.metadata, resourceVersion: '20' } }));
    expect(await sparse.take([live('a', 20, { object })], false)).toEqual([]);
    expect(sparse.wentBack).toBe(false);
    // Its spec is not as it was, and this was not told to us.
    const restored = startReconcile(recordReader(store.log, stream, { sparse: true }), context);
    expect(await restored.take([live('a', 20)], false)).toEqual([]);
    expect(restored.wentBack).toBe(true);
    // In the words of another version nothing can be told.
    const converted = startReconcile(recordReader(store.log, stream, { sparse: true }), context);
    expect(await converted.take([live('a', 20, { apiVersion: 'example.com/v2' })], false)).toEqual([]);
    expect(converted.wentBack).toBe(false);
  });

  test('promise 10: a list that lacks what is recorded as newer than itself shows a restore', async () => {
    const store = await recorded([add('a', 5), add('b', 60)]);
    const reconcile = startReconcile(recordReader(store.log, stream), { origin: 'relist', epoch: 1, now: () => 0 });
    await reconcile.take([live('c', 40)], false);
    const buried: string[] = [];
    for await (const batch of reconcile.finish(rv('50'))) buried.push(...batch.map(({ name }) => name));
    expect(reconcile.wentBack).toBe(true);
    expect(buried).toEqual([]);
    // In the next epoch resourceVersions do not compare.
    await store.log.append(stream, { fence: 1, epoch: 2, changes: [] });
    expect(await compare(store, [[live('c', 40)]], { epoch: 2, asOf: '50' })).toEqual([
      'add c@40',
      'delete a@5',
      'delete b@60',
    ]);
  });

  test('promise 10: what was compared in this epoch as it was is no news in other words', async () => {
    const store = await recorded([add('a', 5)]);
    await store.log.append(stream, { fence: 1, epoch: 2, changes: [] });
    const context = { origin: 'relist', epoch: 2, position: rv('40'), now: () => 0 } as const;
    const reconcile = startReconcile(recordReader(store.log, stream), context);
    const words = Buffer.from('{"apiVersion":"example.com/v2"}');
    expect(await reconcile.take([live('a', 5, { object: words })], false)).toEqual([]);
    expect(reconcile.wentBack).toBe(false);
  });

  test('keys go in the order of UTF-8 bytes, namespace first: "-" and "." before "/", and surrogates last', async () => {
    const keys: [string, string][] = [
      ['a-b', 'x'],
      ['a.b', 'x'],
      ['a', 'x'],
      ['a', 'x-1'],
      ['a', 'x.1'],
      ['a', 'x1'],
      ['a', 'é'],
      ['a', '\ufffd'],
      ['a', '😀'],
    ];
    const objects = keys.map(([namespace, name], index) => live(name, index + 1, { namespace }));
    const byBytes = keys.map(([namespace, name]) => `${namespace}/${name}`);
    expect(byBytes.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))).toEqual(byBytes);
    const store = await recorded(
      keys.filter((_, index) => index % 2 === 0).map(([namespace, name]) => add(name, 1, { namespace })),
    );
    const told = await compare(store, [objects]);
    expect(told.filter((words) => words.startsWith('delete'))).toEqual([]);
    expect(told.filter((words) => words.startsWith('add'))).toHaveLength(4);
  });

  test('refuses keys that do not ascend, and passes over those of a page that is repeated', async () => {
    const store = await recorded([add('a', 1)]);
    const reconcile = startReconcile(recordReader(store.log, stream), { origin: 'relist', epoch: 1, now: () => 0 });
    await reconcile.take([live('a', 1), live('b', 2)], false);
    expect(await reconcile.take([live('a', 1), live('b', 2), live('c', 3)], true)).toMatchObject([{ name: 'c' }]);
    await expect(reconcile.take([live('b', 2)], false)).rejects.toMatchObject({ code: 'protocol' });
  });

  test('says that the data folder is damaged where a last state has no revision', async () => {
    const store = await recorded([add('a', 1)]);
    const record: RecordReader = { ...recordReader(store.log, stream), revision: () => Promise.resolve(undefined) };
    const reconcile = startReconcile(record, { origin: 'relist', epoch: 1, now: () => 0 });
    const finished = async (): Promise<void> => {
      for await (const _ of reconcile.finish()) expect.unreachable();
    };
    await expect(finished()).rejects.toMatchObject({ code: 'storage' });
  });

  test('promise 7: asks for at most 500 states and hands out at most 100 tombstones at a time', async () => {
    const names = Array.from({ length: 1_200 }, (_, index) => `w-${String(index).padStart(5, '0')}`);
    const store = await recorded(names.map((name, index) => add(name, index + 1)));
    const inner = recordReader(store.log, stream);
    const asked: number[] = [];
    const record: RecordReader = {
      ...inner,
      lastStates: (after, limit) => (asked.push(limit), inner.lastStates(after, limit)),
    };
    const reconcile = startReconcile(record, { origin: 'relist', epoch: 1, now: () => 0 });
    const kept = names.map((name, index) => live(name, index + 1)).filter((_, index) => index % 400 === 0);
    for (const object of kept) expect(await reconcile.take([object], false)).toEqual([]);
    // One stretch of missing keys between two live ones, however long.
    expect(reconcile.pending).toBe(kept.length - 1);
    let missing = 0;
    for await (const tombstones of reconcile.finish(rv('9999'))) {
      expect(tombstones.length).toBeLessThanOrEqual(100);
      missing += tombstones.length;
    }
    expect(missing).toBe(names.length - kept.length);
    expect(Math.max(...asked)).toBeLessThanOrEqual(500);
  });

  test('over random sets, pages and repeats the record comes to be exactly the live set', async () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    for (let round = 0; round < 60; round += 1) await randomComparison(random, `TEST_SEED=${seed}, round ${round}`);
  });
});

const NAMES = ['a', 'a-b', 'a.b', 'ab', 'b', 'é', '\ufffd', '😀', 'x', 'x-1', 'x.1', 'x1', 'y'];

async function randomComparison(random: () => number, told: string): Promise<void> {
  const keys = ['', 'n', 'n-1', 'n.1', 'é'].flatMap((namespace) => NAMES.map((name) => ({ namespace, name })));
  const some = (share: number): typeof keys => keys.filter(() => random() < share);
  const before = some(random()).map(({ namespace, name }, index) =>
    add(name, index + 1, { namespace, uid: `u-${pick(random, [1, 2])}` }),
  );
  const store = await recorded(before);
  const restored = random() < 0.3;
  const epoch = restored ? 2 : 1;
  if (restored) await store.log.append(stream, { fence: 1, epoch, changes: [] });
  const was = new Map(before.map((each) => [objectKey(each.namespace, each.name), each]));
  const now = some(random()).map(({ namespace, name }, index): ScannedObject => {
    const old = was.get(objectKey(namespace, name));
    if (old !== undefined && random() < 0.4) return old;
    return live(name, restored ? index + 1 : 500 + index, { namespace, uid: `u-${pick(random, [1, 2])}` });
  });
  const ordered = now.toSorted((a, b) =>
    compareObjectKeys(objectKey(a.namespace, a.name), objectKey(b.namespace, b.name)),
  );
  const reconcile = startReconcile(recordReader(store.log, stream), { origin: 'relist', epoch, now: () => 0 });
  const take = (changes: readonly Observed[]): Promise<unknown> =>
    store.log.append(stream, { fence: 1, epoch, changes });
  for (let from = 0; from < ordered.length; ) {
    const page = ordered.slice(from, from + 1 + Math.floor(random() * 9));
    // A page may break off anywhere, and be asked for again.
    while (random() < 0.3)
      await take(await reconcile.take(page.slice(0, Math.floor(random() * (page.length + 1))), true));
    await take(await reconcile.take(page, true));
    if (random() < 0.5) for await (const tombstones of reconcile.flush(rv('1000'))) await take(tombstones);
    from += page.length;
  }
  for await (const tombstones of reconcile.finish(rv('1000'))) await take(tombstones);

  const states = await store.log.lastStates(stream, undefined, 1_000);
  const objects = await Promise.all(
    states.map(async ({ namespace, name, uid, sequence }) => {
      const revision = await store.log.revision(stream, sequence);
      return [objectKey(namespace, name), uid, Buffer.from(revision?.object ?? []).toString()];
    }),
  );
  const expected = ordered.map((each) => [
    objectKey(each.namespace, each.name),
    each.uid,
    Buffer.from(each.object).toString(),
  ]);
  expect(objects, told).toEqual(expected);
}

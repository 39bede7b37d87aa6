// Random histories, on disk and in memory: whatever is done, in whatever order, both must say the same.
import { expect, test } from 'vitest';
import type { DataFolder } from '../../../lib/adapters/disk/data-folder.ts';
import { resourceVersion } from '../../../lib/model/resource-version.ts';
import { type ObjectKey, objectKey, type Revision } from '../../../lib/model/revision.ts';
import type { StreamRef } from '../../../lib/model/stream.ts';
import { change, collect, testStream } from '../../support/changes.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';
import { dataPath, everything, openFolder } from './open-folder.ts';

/** mulberry32: small, seeded, good enough. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const streams = [testStream('widgets'), testStream('gadgets'), testStream('widgets', 'c-2')];
const plain = (revisions: readonly Revision[]) =>
  revisions.map(({ object, ...rest }) => ({ ...rest, object: Buffer.from(object).toString() }));

async function view(store: Pick<MemoryStore, 'log' | 'feed'>) {
  const all: unknown[] = [await store.feed.head(), await store.feed.tail(), await store.feed.thinned()];
  for (const stream of await store.log.streams()) {
    all.push(stream, await store.log.position(stream));
    all.push(plain(await store.log.read(stream, 0, everything)));
    for (let after: ObjectKey | undefined; ; ) {
      const page = await store.log.lastStates(stream, after, 3);
      const last = page.at(-1);
      if (last === undefined) break;
      all.push(page);
      after = objectKey(last.namespace, last.name);
    }
    for (let name = 0; name < 12; name++) {
      const key = objectKey(name % 2 === 0 ? 'ns' : '', `o${name}`);
      all.push(await store.log.lastState(stream, key), plain(await collect(store.log.revisionsOf(stream, key))));
    }
  }
  all.push(plain((await store.feed.read(0, { bytes: 1e12 })).revisions));
  return all;
}

test.each([1, 2, 3, 4])(
  'promises 1 to 6: a random history (seed %i) is the same on disk as in memory',
  async (seed) => {
    const pick = seeded(seed);
    const clock = createManualClock(0);
    const memory = createMemoryStore(clock);
    const path = await dataPath();
    // Two handles stand for two processes; each is closed and opened again now and then.
    const folders: DataFolder[] = [openFolder(path, { clock }), openFolder(path, { clock })];
    const epochs = [1, 1, 1];

    const appendBoth = async (index: number, folder: DataFolder) => {
      const stream = streams[index] as StreamRef;
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
      const batch = { fence: 1, epoch: epochs[index] ?? 1, changes, ...mark };
      const expected = memory.log.append(stream, batch);
      expect(plain(await folder.log.append(stream, batch))).toEqual(plain(await expected));
    };
    const publishBoth = async (stream: StreamRef, folder: DataFolder) => {
      const { epoch, sequence } = await memory.log.position(stream);
      const next = { epoch, published: pick(sequence + 1), fence: 1, updatedAt: 0 };
      const previous = await memory.checkpoints.get(stream);
      for (const store of [memory, folder]) await store.checkpoints.compareAndSet(stream, previous, next);
    };
    const retainBoth = async (folder: DataFolder) => {
      const policy = pick(2) === 0 ? { maxAgeMs: 50 + pick(100) } : { maxRevisionsPerObject: 1 + pick(4) };
      // From the start of the log in one step, as memory does it.
      while (!(await folder.retain(policy, 1000)).done);
      await memory.retain(policy, 1000);
    };

    for (let step = 0; step < 150; step++) {
      clock.advance(pick(10));
      const which = pick(2);
      const folder = folders[which] as DataFolder;
      const action = pick(30);
      if (action < 24) await appendBoth(pick(3), folder);
      else if (action < 27) await publishBoth(streams[pick(3)] as StreamRef, folder);
      else if (action < 28) await retainBoth(folder);
      else {
        await folder.close();
        folders[which] = openFolder(path, { clock });
      }
      if (step % 10 === 9) expect(await view(folders[pick(2)] as DataFolder)).toEqual(await view(memory));
    }
  },
);

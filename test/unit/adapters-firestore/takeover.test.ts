// Promise 6: who takes a stream over, and what the writer before can still do.
import { expect, test } from 'vitest';
import { draftBatch, draftOf } from '../../../lib/adapters/firestore/draft.ts';
import { createFrameChain } from '../../../lib/adapters/firestore/frame-chain.ts';
import { readFrames } from '../../../lib/adapters/firestore/frames.ts';
import { unknown } from '../../../lib/adapters/firestore/head.ts';
import { createTakeover } from '../../../lib/adapters/firestore/takeover.ts';
import type { StreamRef } from '../../../lib/model/stream.ts';
import { change, testStream } from '../../support/changes.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createMemoryDatabase, type MemoryDatabase } from '../../support/memory-documents.ts';

function processOn(database: MemoryDatabase, name: string) {
  const documents = database.open();
  const clock = createManualClock();
  let made = 0;
  const makeId = () => `${name}-${(made += 1)}`;
  const chain = createFrameChain({ documents, clock, makeId });
  const claim = createTakeover({ documents, frames: readFrames(documents), clock, makeId });
  return {
    chain,
    claim: (ref: StreamRef, fence: number) => claim(ref, fence, chain.id),
    append: (ref: StreamRef, resourceVersion: number) => {
      const draft = draftOf(ref, { ...unknown, position: 1 });
      draftBatch(draft, { fence: 1, epoch: 1, changes: [change('a', resourceVersion)] }, new Map());
      return chain.append([draft]);
    },
  };
}

const refused = { name: 'Refused' };
const stream = testStream();

test('promise 6: a writer whose stream was taken over is refused, until it begins a chain anew', async () => {
  const database = createMemoryDatabase();
  const [before, next] = [processOn(database, 'before'), processOn(database, 'next')];
  await before.claim(stream, 1);
  await before.append(stream, 1);
  expect(await next.claim(stream, 2)).toMatchObject({ head: { fence: 2, sequence: 1 }, frames: 1 });
  await expect(before.append(stream, 2)).rejects.toMatchObject(refused);
  await expect(before.claim(stream, 1)).rejects.toMatchObject({ code: 'fenced' });
  before.chain.beginAnew();
  await before.claim(testStream('gadgets'), 1);
  expect(await before.append(testStream('gadgets'), 3)).toHaveLength(1);
});

test('promise 6: a chain in which nothing stands yet is sealed, too', async () => {
  const database = createMemoryDatabase();
  const [before, next] = [processOn(database, 'before'), processOn(database, 'next')];
  await before.claim(stream, 1);
  await next.claim(stream, 2);
  await expect(before.append(stream, 1)).rejects.toMatchObject(refused);
});

test('promise 6: a chain that began while a commit of the one before was on its way is sealed, too', async () => {
  const database = createMemoryDatabase();
  const [before, next] = [processOn(database, 'before'), processOn(database, 'next')];
  await before.claim(stream, 1);
  const underWay = before.append(stream, 1);
  // As when folding fails meanwhile.
  before.chain.beginAnew();
  await underWay;
  await before.claim(stream, 1);
  await next.claim(stream, 2);
  await expect(before.append(stream, 2)).rejects.toMatchObject(refused);
});

test('a chain is sealed once, however many of its streams are taken over, and by however many', async () => {
  const database = createMemoryDatabase();
  const [before, next, third] = [
    processOn(database, 'before'),
    processOn(database, 'next'),
    processOn(database, 'third'),
  ];
  const [gadgets, gears] = [testStream('gadgets'), testStream('gears')];
  for (const ref of [stream, gadgets, gears]) await before.claim(ref, 1);
  const frames = () => database.paths().filter((path) => path.startsWith('frames/'));
  expect(frames()).toEqual([]);
  await next.claim(gadgets, 2);
  const readBefore = database.counts.reads;
  await next.claim(gears, 2);
  // The stream's document, and that no frame speaks of it.
  expect(database.counts.reads - readBefore).toBe(2);
  await third.claim(stream, 2);
  expect(frames()).toHaveLength(1);
});

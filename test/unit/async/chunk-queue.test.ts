import { describe, expect, test } from 'vitest';
import { ChunkQueue } from '../../../lib/async/chunk-queue.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const texts = (batch: readonly Uint8Array[] | undefined): string[] | undefined =>
  batch?.map((chunk) => Buffer.from(chunk).toString());

function queueOf(windowBytes = 1024) {
  const calls: string[] = [];
  const queue = new ChunkQueue({
    windowBytes,
    pause: () => calls.push('pause'),
    resume: () => calls.push('resume'),
  });
  return { queue, calls };
}

describe('a chunk queue', () => {
  test('gives all chunks that one turn of the event loop brought as one batch, also to a consumer that waited', async () => {
    const { queue } = queueOf();
    const taken = queue.take();
    queue.push(bytes('a'));
    await Promise.resolve();
    queue.push(bytes('b'));
    expect(texts(await taken)).toEqual(['a', 'b']);
  });

  test('promise 7: asks its source to pause when the window is full, and to go on when the chunks are taken', async () => {
    const { queue, calls } = queueOf(1000);
    queue.push(new Uint8Array(500));
    expect(calls).toEqual([]);
    queue.push(new Uint8Array(500));
    queue.push(new Uint8Array(500));
    expect(calls).toEqual(['pause']);
    expect(await queue.take()).toHaveLength(3);
    expect(calls).toEqual(['pause', 'resume']);
  });

  test('promise 7: counts what tiny chunks cost beside their bytes', () => {
    const { queue, calls } = queueOf(10_000);
    for (let i = 0; i < 100; i++) queue.push(bytes('x'));
    expect(calls).toEqual(['pause']);
  });

  test('ends after what was pushed', async () => {
    const { queue } = queueOf();
    queue.push(bytes('last'));
    queue.end();
    expect(texts(await queue.take())).toEqual(['last']);
    expect(await queue.take()).toBeUndefined();
  });

  test('gives what was pushed before it throws a failure', async () => {
    const { queue } = queueOf();
    queue.push(bytes('whole'));
    queue.fail(new Error('cut off'));
    expect(texts(await queue.take())).toEqual(['whole']);
    await expect(queue.take()).rejects.toThrow('cut off');
    await expect(queue.take()).rejects.toThrow('cut off');
  });

  test('stays ended: a failure after the end is no news', async () => {
    const { queue } = queueOf();
    queue.end();
    queue.fail(new Error('late'));
    expect(await queue.take()).toBeUndefined();
  });

  test('drops what was pushed when it is aborted, and wakes the consumer that waits', async () => {
    const { queue } = queueOf();
    const waiting = queue.take();
    queue.abort(new Error('stop'));
    await expect(waiting).rejects.toThrow('stop');
    const { queue: full } = queueOf();
    full.push(bytes('unwanted'));
    full.abort(new Error('stop'));
    await expect(full.take()).rejects.toThrow('stop');
  });
});

// Publishing one stream: order, ids, acknowledgement before checkpoint, and what happens when sink or memory fail.
import { describe, expect, test } from 'vitest';
import { createLanes } from '../../../lib/adapters/http/lanes.ts';
import { createSemaphore } from '../../../lib/async/semaphore.ts';
import { createByteBudget } from '../../../lib/bridge/byte-budget.ts';
import { createPublisher, type Publisher, type PublisherOptions } from '../../../lib/bridge/publisher.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { resourceVersion } from '../../../lib/model/resource-version.ts';
import type { Revision } from '../../../lib/model/revision.ts';
import { change, testStream } from '../../support/changes.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { changesOf, idsOf, memorySink } from '../../support/scripted-bridge.ts';
import { createScriptedClock, idle, settle } from '../../support/scripted-clock.ts';

const stream = testStream();
const rv = resourceVersion;

function world({ budget = 1e6 } = {}) {
  const clock = createScriptedClock();
  const store = createMemoryStore(clock);
  const sink = memorySink();
  const problems: (string | undefined)[] = [];
  const bytes = createByteBudget(budget);
  const stop = new AbortController();
  let reads = 0;
  const log = {
    ...store.log,
    read: (...given: Parameters<typeof store.log.read>) => ((reads += 1), store.log.read(...given)),
  };

  async function start(more: Partial<PublisherOptions> = {}): Promise<{ publisher: Publisher; ran: Promise<never> }> {
    const recorded = await store.log.position(stream);
    const publisher = createPublisher({
      stream,
      fence: 1,
      epoch: Math.max(1, recorded.epoch),
      log,
      checkpoints: store.checkpoints,
      sink,
      budget: bytes,
      clock,
      random: () => 0.5,
      checkpoint: await store.checkpoints.get(stream),
      recorded,
      onProgress: () => undefined,
      onProblem: (problem) => void problems.push(problem),
      ...more,
    });
    const ran = publisher.run(stop.signal);
    ran.catch(() => undefined);
    return { publisher, ran };
  }
  async function record(names: readonly string[], from: number, epoch = 1): Promise<readonly Revision[]> {
    const changes = names.map((name, index) => change(name, from + index, { type: 'add' }));
    return await store.log.append(stream, {
      fence: 1,
      epoch,
      changes,
      resourceVersion: rv(String(from + names.length - 1)),
    });
  }
  const drained = async (publisher: Publisher): Promise<void> =>
    settle(publisher.drained(new AbortController().signal), clock);
  return {
    clock,
    store,
    sink,
    problems,
    bytes,
    stop,
    start,
    record,
    drained,
    reads: () => reads,
    checkpoint: () => store.checkpoints.get(stream),
  };
}

describe('a publisher', () => {
  test('promise 4: moves the checkpoint after the acknowledgement, never before', async () => {
    const { store, sink, start, record, drained, checkpoint } = world();
    const gate = Promise.withResolvers<void>();
    sink.before = () => gate.promise;
    const { publisher } = await start();
    publisher.offer(await record(['a', 'b'], 10), rv('11'));
    for (let turn = 0; turn < 20; turn += 1) await idle();
    expect((await checkpoint())?.published ?? 0).toBe(0);
    expect((await checkpoint())?.resourceVersion).toBeUndefined();
    gate.resolve();
    await drained(publisher);
    expect(await checkpoint()).toMatchObject({ published: 2, resourceVersion: '11', epoch: 1, fence: 1 });
    expect(await store.log.position(stream)).toMatchObject({ sequence: 2 });
  });

  test('promises 2 and 5: a batch that failed is published again, whole, in order, with the same ids', async () => {
    const { sink, problems, start, record, drained } = world();
    const attempts: string[][] = [];
    sink.before = (batch) => {
      attempts.push(idsOf(batch));
      if (attempts.length < 3) throw new Mk8sError('It is away', { code: 'unreachable', retryable: true });
    };
    const { publisher } = await start();
    publisher.offer(await record(['a', 'b', 'c'], 10), rv('12'));
    await drained(publisher);
    expect(attempts[1]).toEqual(attempts[0]);
    expect(attempts[2]).toEqual(attempts[0]);
    expect(changesOf(sink.published)).toEqual(['add a@10', 'add b@11', 'add c@12']);
    expect(problems).toEqual([expect.stringContaining('It is away'), expect.stringContaining('It is away'), undefined]);
  });

  test('promise 1: a sink that refuses a few in a hundred is not waited for as one that is away', async () => {
    const { clock, start, record, drained } = world();
    let sent = 0;
    const { publish } = createLanes(createSemaphore(8), async () => {
      sent += 1;
      if (sent % 33 === 0) throw new Mk8sError('It answered 503', { code: 'http', retryable: true });
    });
    const { publisher } = await start({ sink: { name: 'https:', publish, close: () => Promise.resolve() } });
    const startedAt = clock.now();
    const names = Array.from({ length: 600 }, (_, index) => `o-${index}`);
    publisher.offer(await record(names, 10), rv('609'));
    await drained(publisher);
    // 19 refusals, each after 32 changes that got through; as failures in a row they took 294 s.
    expect(clock.now() - startedAt).toBeLessThan(20_000);
  });

  test('waits as long as the sink asks', async () => {
    const { clock, sink, start, record, drained } = world();
    let refused = false;
    sink.before = () => {
      if (refused) return;
      refused = true;
      throw new Mk8sError('later', { code: 'http', retryable: true, retryAfterMs: 45_000 });
    };
    const { publisher } = await start();
    const startedAt = clock.now();
    publisher.offer(await record(['a'], 10), rv('10'));
    await drained(publisher);
    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(45_000);
  });

  test('promise 10: a sink that asks for a wait without end is asked again after a bounded one, and it is said', async () => {
    const { clock, sink, problems, start, record, drained } = world();
    sink.before = () => {
      if (problems.length > 0) return;
      throw new Mk8sError('It answered 429', { code: 'http', retryable: true, retryAfterMs: 1e12 });
    };
    const { publisher } = await start();
    const startedAt = clock.now();
    publisher.offer(await record(['a'], 10), rv('10'));
    await drained(publisher);
    expect(clock.now() - startedAt).toBeLessThan(400_000);
    expect(problems[0]).toBe('It answered 429 (Retry-After asks for 1000000000 s; trying again after 300 s)');
  });

  test('promise 10: what only somebody else can mend blocks, is said so, and is tried again slowly', async () => {
    const { clock, sink, start, record, drained } = world();
    const told: [string | undefined, boolean | undefined][] = [];
    const attempts: number[] = [];
    sink.before = () => {
      attempts.push(clock.now());
      if (attempts.length === 1) throw new Mk8sError('It is away', { code: 'unreachable', retryable: true });
      if (attempts.length < 5) throw new Mk8sError('It answered 302.', { code: 'config', status: 302 });
    };
    const { publisher } = await start({ onProblem: (problem, blocked) => void told.push([problem, blocked]) });
    publisher.offer(await record(['a'], 10), rv('10'));
    await drained(publisher);
    const blocked = ['It answered 302; publishing is blocked until that is changed', true];
    expect(told).toEqual([['It is away', false], blocked, blocked, blocked, [undefined, false]]);
    const waits = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0));
    expect(waits.map((wait) => wait >= 15_000)).toEqual([false, true, true, true]);
    expect(Math.max(...waits)).toBeLessThanOrEqual(300_000);
  });

  test('promise 10: a checkpoint that finds no room is a problem until it is written', async () => {
    const { store, problems, start, record, drained, checkpoint } = world();
    let attempts = 0;
    const checkpoints: typeof store.checkpoints = {
      ...store.checkpoints,
      async compareAndSet(...given) {
        attempts += 1;
        if (attempts < 3) throw new Mk8sError('There is no room', { code: 'full', retryable: true });
        await store.checkpoints.compareAndSet(...given);
      },
    };
    const { publisher } = await start({ checkpoints });
    publisher.offer(await record(['a'], 10), rv('10'));
    await drained(publisher);
    expect(await checkpoint()).toMatchObject({ published: 1 });
    expect(problems).toEqual(['There is no room', 'There is no room', undefined]);
  });

  test('promise 7: what waits in memory goes out in batches of bounded bytes, not only of a bounded count', async () => {
    const { sink, start, record, drained, reads } = world({ budget: 1e8 });
    const batches: number[] = [];
    const gate = Promise.withResolvers<void>();
    sink.before = async (batch) => {
      batches.push(batch.reduce((sum, { object }) => sum + object.byteLength, 0));
      await gate.promise;
    };
    const { publisher } = await start();
    const large = (revision: Revision): Revision => ({ ...revision, object: new Uint8Array(400 * 1024) });
    const names = Array.from({ length: 20 }, (_, index) => `n-${index}`);
    const huge = { ...large((await record(['huge'], 10))[0] as Revision), object: new Uint8Array(3 * 1024 * 1024) };
    publisher.offer([huge], rv('10'));
    publisher.offer((await record(names, 11)).map(large), rv('30'));
    gate.resolve();
    await drained(publisher);
    // One that is larger than a batch goes alone.
    expect(batches[0]).toBe(3 * 1024 * 1024);
    expect(Math.max(...batches.slice(1))).toBeLessThanOrEqual(1024 * 1024);
    expect([sink.published.length, reads()]).toEqual([21, 0]);
  });

  test('promise 7: what does not fit the budget is read from the log, in order and with its origin', async () => {
    const { sink, bytes, start, record, drained, reads } = world({ budget: 10 });
    const { publisher } = await start();
    publisher.offer(await record(['a', 'b'], 10), rv('11'));
    publisher.offer(await record(['c'], 12), rv('12'));
    await drained(publisher);
    expect(sink.published.map(({ sequence, origin }) => [sequence, origin])).toEqual([
      [1, 'watch'],
      [2, 'watch'],
      [3, 'watch'],
    ]);
    expect(reads()).toBeGreaterThan(0);
    expect(bytes.taken).toBe(0);
  });

  test('takes from memory what fits, and gives the bytes back once acknowledged, or at the end', async () => {
    const { sink, bytes, stop, start, record, drained, reads } = world();
    const { publisher, ran } = await start();
    publisher.offer(await record(['a', 'b'], 10), rv('11'));
    expect(bytes.taken).toBeGreaterThan(0);
    await drained(publisher);
    expect([bytes.taken, reads()]).toEqual([0, 0]);
    sink.before = () => new Promise<never>(() => {});
    stop.abort(new Error('over'));
    await expect(ran).rejects.toThrow('over');
    publisher.offer(await record(['c'], 12), rv('12'));
    expect(bytes.taken).toBe(0);
  });

  test('promise 3: after a crash, what was recorded and not published comes first, as a replay, with the same ids', async () => {
    const { sink, start, record, drained, store } = world();
    const recorded = await record(['a', 'b', 'c'], 10);
    await store.checkpoints.compareAndSet(stream, undefined, { epoch: 1, published: 1, fence: 1, updatedAt: 0 });
    const { publisher } = await start();
    publisher.offer(await record(['d'], 20), rv('20'));
    await drained(publisher);
    expect(sink.published.map(({ sequence, origin }) => [sequence, origin])).toEqual([
      [2, 'replay'],
      [3, 'replay'],
      [4, 'watch'],
    ]);
    expect(idsOf(sink.published).slice(0, 2)).toEqual(idsOf(recorded).slice(1));
  });

  test('writes checkpoints together while changes flow, and bookmarks alone also move it', async () => {
    const { clock, store, start, record, drained, checkpoint } = world();
    let writes = 0;
    const checkpoints: typeof store.checkpoints = {
      ...store.checkpoints,
      compareAndSet: (...given) => ((writes += 1), store.checkpoints.compareAndSet(...given)),
    };
    const { publisher } = await start({ checkpoints });
    for (let index = 0; index < 50; index += 1) {
      publisher.offer(await record([`n-${index}`], 100 + index), rv(String(100 + index)));
      await idle();
    }
    expect(writes).toBeLessThan(5);
    await drained(publisher);
    expect(await checkpoint()).toMatchObject({ published: 50, resourceVersion: '149' });
    publisher.offer([], rv('500'));
    for (let turn = 0; turn < 10; turn += 1) {
      await idle();
      clock.jump();
    }
    expect(await checkpoint()).toMatchObject({ published: 50, resourceVersion: '500' });
  });

  test('goes on writing checkpoints though the wall clock is set back by an hour', async () => {
    const { clock, start, record, drained, checkpoint } = world();
    const { publisher } = await start();
    publisher.offer(await record(['a'], 10), rv('10'));
    await drained(publisher);
    clock.set(-3_600_000);
    publisher.offer(await record(['b'], 11), rv('11'));
    for (let turn = 0; turn < 10; turn += 1) {
      await idle();
      clock.jump();
    }
    expect(await checkpoint()).toMatchObject({ published: 2, resourceVersion: '11' });
  });

  test('a new epoch begins without a resourceVersion', async () => {
    const { start, record, drained, checkpoint } = world();
    const { publisher } = await start();
    publisher.offer(await record(['a'], 100), rv('100'));
    await drained(publisher);
    publisher.beginEpoch(2);
    publisher.offer(await record(['b'], 5, 2), undefined);
    await drained(publisher);
    expect(await checkpoint()).toMatchObject({ epoch: 2, published: 2 });
    expect((await checkpoint())?.resourceVersion).toBeUndefined();
    publisher.offer([], rv('7'));
    await drained(publisher);
    expect(await checkpoint()).toMatchObject({ epoch: 2, resourceVersion: '7' });
  });

  test('promise 4: a resourceVersion of the epoch before does not become one of the next', async () => {
    const { sink, start, record, drained, checkpoint } = world();
    const gate = Promise.withResolvers<void>();
    sink.before = () => gate.promise;
    const { publisher } = await start();
    publisher.offer(await record(['a'], 100), rv('100'));
    await idle();
    publisher.beginEpoch(2);
    gate.resolve();
    await drained(publisher);
    expect(await checkpoint()).toMatchObject({ epoch: 2, published: 1 });
    expect((await checkpoint())?.resourceVersion).toBeUndefined();
  });

  test('promise 6: ends where another owner moved the checkpoint', async () => {
    const { clock, store, start, record } = world();
    const { publisher, ran } = await start();
    await store.checkpoints.compareAndSet(stream, undefined, { epoch: 1, published: 0, fence: 2, updatedAt: 0 });
    publisher.offer([], rv('9'));
    await expect(settle(ran, clock)).rejects.toMatchObject({ code: 'fenced' });
    await expect(record(['a'], 10)).rejects.toMatchObject({ code: 'fenced' });
  });

  test('without a sink, recording is publishing', async () => {
    const { bytes, start, record, drained, checkpoint } = world();
    const { publisher } = await start({ sink: undefined });
    publisher.offer(await record(['a', 'b'], 10), rv('11'));
    await drained(publisher);
    expect(await checkpoint()).toMatchObject({ published: 2, resourceVersion: '11' });
    expect(bytes.taken).toBe(0);
  });
});

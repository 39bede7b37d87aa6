// One stream from its lease to its checkpoint, over a cluster in memory: what is in the feed at the end, also after crashes.
import { describe, expect, test } from 'vitest';
import { createRestoreNotices } from '../../../lib/bridge/restore-notices.ts';
import { runStream } from '../../../lib/bridge/run-stream.ts';
import { createStreamControl, type StreamControl } from '../../../lib/bridge/stream-control.ts';
import type { StreamEnd, StreamServices } from '../../../lib/bridge/stream-task.ts';
import { secretsRule } from '../../../lib/history/redact.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import type { Revision } from '../../../lib/model/revision.ts';
import { streamKey } from '../../../lib/model/stream.ts';
import type { StreamState } from '../../../lib/model/stream-status.ts';
import { resourcePattern } from '../../../lib/plan/resource-pattern.ts';
import { testStream } from '../../support/changes.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';
import {
  changesOf,
  idsOf,
  type MemorySink,
  memorySink,
  type ScriptedCluster,
  type ScriptedRun,
  scriptedCluster,
  scriptedRun,
} from '../../support/scripted-bridge.ts';
import { createScriptedClock, idle, type ScriptedClock, settle } from '../../support/scripted-clock.ts';
import { asked } from '../../support/scripted-server.ts';
import { widgets } from '../../support/scripted-watch.ts';
import { seededRandom, testSeed } from '../../support/seeded-random.ts';

const stream = testStream();

interface Following {
  readonly done: Promise<StreamEnd>;
  readonly stop: AbortController;
  readonly giveUp: AbortController;
  readonly control: StreamControl;
}

function follow(
  services: StreamServices,
  cluster: ScriptedCluster,
  { gone = false, restores = createRestoreNotices() } = {},
): Following {
  const stop = new AbortController();
  const giveUp = new AbortController();
  const control = createStreamControl();
  const task = {
    stream,
    clusterName: 'c-1',
    api: cluster.api,
    collection: () => ({ path: widgets, selector: {} }),
    control,
    restores: restores.join(streamKey(stream)),
    gone,
    stop: stop.signal,
    giveUp: giveUp.signal,
  };
  const done = runStream(task, services);
  done.catch(() => undefined);
  return { done, stop, giveUp, control };
}

/** Moves time on until the condition holds. */
async function until(clock: ScriptedClock, what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 3_000; turn += 1) {
    await idle();
    if (await holds()) return;
    clock.jump();
  }
  throw new Error(`it never came about that ${what}`);
}

interface World {
  readonly clock: ScriptedClock;
  readonly store: MemoryStore;
  readonly cluster: ScriptedCluster;
  readonly sink: MemorySink;
  readonly run: (more?: Partial<StreamServices> & { id?: string }) => ScriptedRun;
  /** Until the checkpoint stands where the cluster does and all is published. */
  readonly current: () => Promise<void>;
  readonly stored: () => Promise<string[]>;
}

function world(options: { streamingLists?: boolean } = {}): World {
  const clock = createScriptedClock();
  const store = createMemoryStore(clock, { isAlive: () => false });
  const cluster = scriptedCluster(options);
  const sink = memorySink();
  return {
    clock,
    store,
    cluster,
    sink,
    run: (more = {}) => scriptedRun(store, clock, { sink, ...more }),
    current: () =>
      until(clock, `the checkpoint is at ${cluster.version}`, async () => {
        const checkpoint = await store.checkpoints.get(stream);
        const { sequence } = await store.log.position(stream);
        return Number(checkpoint?.resourceVersion) === cluster.version && checkpoint?.published === sequence;
      }),
    stored: async () => changesOf(await store.log.read(stream, 0, { changes: 1e6, bytes: 1e9 })),
  };
}

async function stopped({ done, stop }: Following, clock: ScriptedClock): Promise<StreamEnd> {
  stop.abort(new Error('stop'));
  return await settle(done, clock);
}

describe('a stream', () => {
  test('records, publishes and checkpoints the first sync and what follows; its origin is told', async () => {
    const { clock, cluster, sink, run, current } = world();
    cluster.set('a', 1);
    cluster.set('b', 1);
    const following = follow(run(), cluster);
    await current();
    cluster.set('a', 2);
    cluster.delete('b');
    await current();
    expect(await stopped(following, clock)).toBe('stopped');
    expect(changesOf(sink.published)).toEqual(['add a@11', 'add b@12', 'update a@13', 'delete b@14']);
    expect(sink.published.map(({ origin }) => origin)).toEqual(['snapshot', 'snapshot', 'watch', 'watch']);
    expect(cluster.api.open()).toBe(0);
  });

  test('resumes without a list, and says what it caught up with', async () => {
    const { clock, cluster, sink, run, current } = world();
    cluster.set('a', 1);
    cluster.set('b', 1);
    const first = follow(run(), cluster);
    await current();
    await stopped(first, clock);
    const before = cluster.api.requests.length;
    cluster.set('b', 2);
    const services = run();
    const second = follow(services, cluster);
    await current();
    await stopped(second, clock);
    expect(cluster.api.requests.slice(before).map(asked)).toEqual(['look at b', 'look at a', 'watch from 12']);
    expect(changesOf(sink.published)).toEqual(['add a@11', 'add b@12', 'update b@13']);
    expect(services.tally).toMatchObject({ resumed: 1, caughtUp: 1, replayed: 0 });
  });

  test.each([true, false])(
    'promise 1: deletions during a gap become tombstones (streaming lists: %s)',
    async (streamingLists) => {
      const { clock, cluster, sink, run, current } = world({ streamingLists });
      for (const name of ['a', 'b', 'c', 'd', 'e']) cluster.set(name, 1);
      const first = follow(run(), cluster);
      await current();
      await stopped(first, clock);
      cluster.delete('b');
      cluster.delete('e');
      cluster.set('f', 1);
      cluster.set('c', 2);
      cluster.compact();
      const services = run();
      const second = follow(services, cluster);
      await current();
      await stopped(second, clock);
      const late = sink.published.slice(5);
      expect(changesOf(late).toSorted()).toEqual(['add f@18', 'delete b@12', 'delete e@15', 'update c@19']);
      expect(new Set(late.map(({ origin }) => origin))).toEqual(new Set(['relist']));
      expect(services.board.snapshot(clock.now())).toMatchObject([{ gaps: 1 }]);
    },
  );

  test('promise 9: redacts before anything is recorded', async () => {
    const { clock, cluster, store, run, current } = world();
    cluster.set('a', { password: 'hunter2', users: [{ token: 't0psecret' }] });
    const rule = { matches: resourcePattern('widgets.example.com'), fields: ['spec.password', 'spec.users.*.token'] };
    const following = follow(run({ redact: [secretsRule, rule] }), cluster);
    await current();
    cluster.set('a', { password: 'hunter3', users: [{ token: 't0psecret' }] });
    await current();
    await stopped(following, clock);
    const revisions = await store.log.read(stream, 0, { changes: 9, bytes: 1e9 });
    expect(revisions).toHaveLength(2);
    for (const { object } of revisions) expect(Buffer.from(object).toString()).not.toMatch(/hunter|t0psecret/);
  });

  test('leaves out what alters nothing where asked to, and resumes without a comparison all the same', async () => {
    const { clock, cluster, run, current, stored } = world();
    cluster.set('a', 1);
    cluster.set('b', 1);
    const first = follow(run({ ignoreNoop: true }), cluster);
    await current();
    cluster.set('b', 1);
    cluster.set('b', 1);
    await current();
    await stopped(first, clock);
    const services = run({ ignoreNoop: true });
    const second = follow(services, cluster);
    await until(clock, 'it watches', () => services.board.snapshot(0)[0]?.state === 'watching');
    cluster.set('a', 2);
    await current();
    await stopped(second, clock);
    expect(await stored()).toEqual(['add a@11', 'add b@12', 'update a@15']);
    expect(services.board.snapshot(0)).toMatchObject([{ gaps: 0, epoch: 1 }]);
  });

  test('promise 4: a slow sink keeps the checkpoint behind; what is unpublished is replayed after a crash', async () => {
    const { clock, cluster, store, sink, run, current } = world();
    cluster.set('a', 1);
    sink.before = () => new Promise<never>(() => {});
    follow(run({ id: 'crashed' }), cluster);
    await until(clock, 'a is recorded', async () => (await store.log.position(stream)).sequence === 1);
    expect((await store.checkpoints.get(stream))?.published ?? 0).toBe(0);
    sink.before = () => undefined;
    const services = run({ id: 'next' });
    const second = follow(services, cluster);
    await current();
    await stopped(second, clock);
    expect(sink.published.map(({ origin, sequence }) => [origin, sequence])).toEqual([['replay', 1]]);
    expect(services.tally).toMatchObject({ published: 1, replayed: 1 });
  });

  test('promise 10: a stream whose sink is not configured right is shown as blocked until it is', async () => {
    const { clock, cluster, sink, run, current } = world();
    sink.before = () => {
      throw new Mk8sError('It answered 302', { code: 'config' });
    };
    const services = run();
    const following = follow(services, cluster);
    cluster.set('a', 1);
    const state = (): StreamState | undefined => services.board.snapshot(0)[0]?.state;
    await until(clock, 'it is blocked', () => state() === 'blocked');
    expect(services.board.snapshot(0)).toMatchObject([{ error: expect.stringContaining('It answered 302') }]);
    sink.before = () => undefined;
    await current();
    expect(services.board.snapshot(0)).toMatchObject([{ state: 'watching', published: 1 }]);
    expect(services.board.snapshot(0)[0]).not.toHaveProperty('error');
    await stopped(following, clock);
  });

  test('promise 10: what troubled the sink in an earlier life of the stream is not said of the next', async () => {
    const { clock, cluster, sink, run, current } = world();
    sink.before = () => {
      throw new Mk8sError('It answered 302', { code: 'config' });
    };
    const services = run();
    cluster.set('a', 1);
    const first = follow(services, cluster);
    await until(clock, 'it is blocked', () => services.board.snapshot(0)[0]?.state === 'blocked');
    first.stop.abort(new Error('stop'));
    for (let turn = 0; turn < 20; turn += 1) await idle();
    first.giveUp.abort(new Error('give up'));
    expect(await settle(first.done, clock)).toBe('stopped');
    sink.before = () => undefined;
    const second = follow(services, cluster);
    await current();
    expect(services.board.snapshot(0)).toMatchObject([{ state: 'watching' }]);
    expect(services.board.snapshot(0)[0]).not.toHaveProperty('error');
    await stopped(second, clock);
  });

  test('promise 6: a displaced owner can neither record nor checkpoint', async () => {
    const { clock, cluster, store, run, current } = world();
    cluster.set('a', 1);
    const first = follow(run({ id: 'first' }), cluster);
    await current();
    // `isAlive` says that nobody lives: the second run takes the lease at once.
    const second = follow(run({ id: 'second' }), cluster);
    await current();
    cluster.set('a', 2);
    await until(clock, 'the second one has written', async () => (await store.checkpoints.get(stream))?.fence === 2);
    cluster.set('a', 3);
    await expect(settle(first.done, clock)).rejects.toMatchObject({ code: 'fenced' });
    await current();
    expect(await stopped(second, clock)).toBe('stopped');
  });

  test('promise 6: from the moment a new owner looks where it stands, an earlier one records nothing', async () => {
    const { clock, cluster, store, run, current } = world();
    cluster.set('a', 1);
    const first = follow(run({ id: 'first' }), cluster);
    await current();
    await stopped(first, clock);
    cluster.down(true);
    const second = follow(run({ id: 'second' }), cluster);
    for (let turn = 0; turn < 10; turn += 1) await idle();
    const late = { fence: 1, epoch: 1, changes: [] };
    await expect(store.log.append(stream, late)).rejects.toMatchObject({ code: 'fenced' });
    await stopped(second, clock);
  });

  test('another run that holds the lease is left alone, and shown', async () => {
    const clock = createScriptedClock();
    const store = createMemoryStore(clock);
    const cluster = scriptedCluster();
    const first = follow(scriptedRun(store, clock, { id: 'first' }), cluster);
    await idle();
    const services = scriptedRun(store, clock, { id: 'second' });
    expect(await settle(follow(services, cluster).done, clock)).toBe('held');
    expect(services.board.snapshot(0)).toMatchObject([{ state: 'parked', error: expect.stringContaining('first') }]);
    await stopped(first, clock);
  });

  test('a resource that is gone for good gets tombstones, and its next life is a new epoch', async () => {
    const { clock, cluster, sink, store, run, current } = world();
    cluster.set('a', 1);
    cluster.set('b', 1);
    const first = follow(run(), cluster);
    await current();
    cluster.refuse(404);
    cluster.down(true);
    await idle();
    cluster.down(false);
    expect(first.control.ask()()).toBe(true);
    expect(await settle(first.done, clock)).toBe('ended');
    expect(changesOf(sink.published).slice(2)).toEqual(['delete a@11', 'delete b@12']);
    expect(await store.log.position(stream)).toMatchObject({ epoch: 2, objects: 0 });
    cluster.refuse(undefined);
    const second = follow(run(), cluster);
    await current();
    await stopped(second, clock);
    expect(sink.published.at(-1)).toMatchObject({ epoch: 2, type: 'add' });
  });

  test('a resource that vanished while nothing was running gets tombstones without a request', async () => {
    const { clock, cluster, sink, run, current } = world();
    cluster.set('a', 1);
    const first = follow(run(), cluster);
    await current();
    await stopped(first, clock);
    const before = cluster.api.requests.length;
    expect(await settle(follow(run(), cluster, { gone: true }).done, clock)).toBe('ended');
    expect(changesOf(sink.published)).toEqual(['add a@11', 'delete a@11']);
    expect(cluster.api.requests).toHaveLength(before);
  });

  test('a full disk is waited for: nothing is lost, and the problem is shown and cleared', async () => {
    const { clock, cluster, store, run, current, stored } = world();
    let full = true;
    const log: MemoryStore['log'] = {
      ...store.log,
      append: (ref, batch) =>
        full
          ? Promise.reject(new Mk8sError('The disk is full', { code: 'full', retryable: true }))
          : store.log.append(ref, batch),
    };
    cluster.set('a', 1);
    const services = run({ log });
    const following = follow(services, cluster);
    await until(clock, 'it is shown', () => services.board.snapshot(0)[0]?.error === 'The disk is full');
    full = false;
    await current();
    expect(services.board.snapshot(0)[0]?.error).toBeUndefined();
    expect(await stored()).toEqual(['add a@11']);
    await stopped(following, clock);
  });

  describe('in catch-up', () => {
    test('a sink that only somebody else can mend ends it, with what is to be mended', async () => {
      const { clock, cluster, sink, run, stored } = world();
      cluster.set('a', 1);
      sink.before = () => {
        throw new Mk8sError('It answered 302', { code: 'config' });
      };
      const services = run({ mode: 'catch-up' });
      await expect(settle(follow(services, cluster).done, clock)).rejects.toThrow('It answered 302');
      expect(await stored()).toEqual(['add a@11']);
      expect(services.board.snapshot(0)).toMatchObject([{ recorded: 1, published: 0 }]);
    });

    test('ends once the record holds the present, without a watch where nothing happened', async () => {
      const { clock, cluster, sink, run } = world();
      cluster.set('a', 1);
      expect(await settle(follow(run({ mode: 'catch-up' }), cluster).done, clock)).toBe('caught-up');
      expect(changesOf(sink.published)).toEqual(['add a@11']);
      expect(await settle(follow(run({ mode: 'catch-up' }), cluster).done, clock)).toBe('caught-up');
      expect(cluster.api.requests.map(asked)).toEqual(['streaming list', 'look at a']);
      cluster.set('a', 2);
      cluster.set('b', 2);
      expect(await settle(follow(run({ mode: 'catch-up' }), cluster).done, clock)).toBe('caught-up');
      expect(changesOf(sink.published).slice(1).toSorted()).toEqual(['add b@13', 'update a@12']);
    });
  });
});

/** Makes a run mortal: at its `life`-th operation on store or sink it dies, before or after the operation took effect. */
function mortal(
  services: ScriptedRun,
  sink: MemorySink,
  life: number,
  random: () => number,
): { services: ScriptedRun; dead: Promise<void> } {
  let left = life;
  const death = Promise.withResolvers<void>();
  const never = new Promise<never>(() => {});
  async function step<T>(operation: () => Promise<T>): Promise<T> {
    if (left <= 0) return await never;
    left -= 1;
    if (left > 0) return await operation();
    if (random() < 0.5) await operation().catch(() => undefined);
    death.resolve();
    return await never;
  }
  const wrap = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]) => step(async () => await (Reflect.apply(value, target, given) as unknown));
      },
    });
  return {
    dead: death.promise,
    services: { ...services, log: wrap(services.log), checkpoints: wrap(services.checkpoints), sink: wrap(sink) },
  };
}

describe('over crashes at random steps', () => {
  const base = testSeed();

  test.each(Array.from({ length: 60 }, (_, index) => base + index))(
    'promises 1 to 5: the feed comes to be what the cluster is (TEST_SEED=%i)',
    async (seed) => {
      const random = seededRandom(seed);
      const { clock, cluster, store, sink, run, current } = world({ streamingLists: random() < 0.5 });
      const faults: string[] = [];
      sink.before = async (batch) => {
        await idle();
        if (random() < 0.1) throw new Mk8sError('The sink is away', { code: 'unreachable', retryable: true });
        for (const { sequence } of batch) {
          if ((await store.log.revision(stream, sequence)) === undefined)
            faults.push(`promise 3: ${sequence} is published, not recorded`);
        }
      };
      const compareAndSet: MemoryStore['checkpoints']['compareAndSet'] = async (ref, previous, next) => {
        const acknowledged = new Set(sink.published.map(({ sequence }) => sequence));
        for (let each = 1; each <= next.published; each += 1) {
          if (!acknowledged.has(each))
            faults.push(`promise 4: the checkpoint is at ${next.published}, ${each} is not acknowledged`);
        }
        const newest = new Map(sink.published.map((revision) => [revision.name, revision]));
        for (const [name, { version, deleted }] of cluster.changedUpTo(Number(next.resourceVersion ?? 0))) {
          const known = newest.get(name);
          const gone = known === undefined || known.type === 'delete';
          if (
            deleted
              ? !gone && Number(known.asOf) < version
              : known === undefined || (!gone && Number(known.asOf) < version)
          ) {
            faults.push(
              `promise 4: the checkpoint is at ${next.resourceVersion}, ${name} of ${version} is not published`,
            );
          }
        }
        await store.checkpoints.compareAndSet(ref, previous, next);
      };
      const checkpoints = { ...store.checkpoints, compareAndSet };
      const names = ['a', 'a-b', 'b', 'c', 'd', 'e', 'f'];
      function act(): void {
        const name = names[Math.floor(random() * names.length)] ?? 'a';
        const dice = random();
        if (dice < 0.6) cluster.set(name, Math.floor(random() * 1e6));
        else if (dice < 0.85) cluster.delete(name);
        else if (dice < 0.92) cluster.compact();
        else cluster.down(dice < 0.96);
      }
      for (let life = 0; life < 12; life += 1) {
        const { services, dead } = mortal(
          run({ id: `life-${life}`, checkpoints }),
          sink,
          1 + Math.floor(random() * 25),
          random,
        );
        const following = follow(services, cluster);
        const over = new AbortController();
        const end = (): void => over.abort();
        dead.then(end, end);
        following.done.then(end, end);
        for (let turn = 0; turn < 40 && !over.signal.aborted; turn += 1) {
          if (random() < 0.5) act();
          await idle();
          if (random() < 0.3) clock.jump();
        }
        // A crash closes its sockets.
        following.stop.abort(new Error('crashed'));
        following.giveUp.abort(new Error('crashed'));
        act();
      }
      cluster.down(false);
      const last = follow(run({ id: 'last', checkpoints }), cluster);
      await idle();
      cluster.set('z', 1);
      await current();
      await stopped(last, clock);

      expect(faults).toEqual([]);
      expect(materialised(sink.published)).toEqual(
        new Map([...cluster.objects].map(([name, { metadata }]) => [name, metadata.uid])),
      );
      checkFeed(sink.published);
      const recorded = await store.log.read(stream, 0, { changes: 1e6, bytes: 1e9 });
      expect(new Set(idsOf(recorded)).size).toBe(recorded.length);
      expect(new Set(idsOf(sink.published))).toEqual(new Set(idsOf(recorded)));
    },
  );
});

/** Live objects by name, as a subscriber sees them that knows ids. */
function materialised(published: readonly Revision[]): Map<string, string> {
  const live = new Map<string, string>();
  const seen = new Set<string>();
  published.forEach((revision, index) => {
    const id = idsOf([revision])[0] ?? String(index);
    if (seen.has(id)) return;
    seen.add(id);
    if (revision.type === 'delete') live.delete(revision.name);
    else live.set(revision.name, revision.uid);
  });
  return live;
}

/** Promise 2: apart from redeliveries, what is new comes in the order of the record. */
function checkFeed(published: readonly Revision[]): void {
  let newest = 0;
  for (const { sequence } of published) {
    if (sequence > newest) expect(sequence).toBe(newest + 1);
    newest = Math.max(newest, sequence);
  }
}

describe('promise 10: a restore that another stream of the cluster noticed', () => {
  test('begins the next epoch, and so does the next one, also after the first was acted on', async () => {
    const { clock, cluster, store, run, current } = world();
    cluster.set('a', 1);
    const restores = createRestoreNotices();
    const following = follow(run(), cluster, { restores });
    await current();
    const other = restores.join(streamKey(testStream('gadgets')));
    for (const epoch of [2, 3, 4]) {
      other.seen(epoch - 1);
      other.notice();
      await until(clock, `it compared in epoch ${epoch}`, async () => {
        const position = await store.log.position(stream);
        return position.epoch === epoch && position.resourceVersion !== undefined;
      });
      // As it goes on after its comparison.
      await idle();
    }
    expect(await stopped(following, clock)).toBe('stopped');
  });
});

// One cluster's streams as its resources come and go, on clusters in memory.
import { describe, expect, test } from 'vitest';
import { runCluster, type StreamOutcome } from '../../../lib/bridge/run-cluster.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import type { ResourceInfo } from '../../../lib/model/resource.ts';
import { clusterId } from '../../../lib/model/stream.ts';
import type { ApiServer } from '../../../lib/ports/api-server.ts';
import type { ResourceDiscovery } from '../../../lib/ports/resource-discovery.ts';
import { testStream } from '../../support/changes.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import {
  changesOf,
  memorySink,
  type ScriptedRun,
  scriptedCluster,
  scriptedRun,
} from '../../support/scripted-bridge.ts';
import { createScriptedClock, idle, settle } from '../../support/scripted-clock.ts';

const info = (plural: string, version = 'v1'): ResourceInfo => ({
  group: 'example.com',
  version,
  plural,
  kind: 'Widget',
  namespaced: false,
  verbs: ['list', 'watch'],
  custom: true,
});

const never = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

/** A cluster of several resources, each with objects of its own, that discovery shows as the test says. */
function world() {
  const clock = createScriptedClock();
  const store = createMemoryStore(clock, { isAlive: () => false });
  const sink = memorySink();
  const parts = { widgets: scriptedCluster(), gizmos: scriptedCluster(), customresourcedefinitions: scriptedCluster() };
  const asked: string[] = [];
  const api: ApiServer = {
    server: 'https://fake',
    request(request) {
      asked.push(request.path);
      const plural = request.path.split('/').at(-1) as keyof typeof parts;
      return parts[plural].api.request(request);
    },
    close: () => Promise.resolve(),
  };
  let served: readonly ResourceInfo[] = [info('widgets')];
  const gone = new Set<string>();
  let current: { resources: readonly ResourceInfo[]; failed: { groupVersion: string; message: string }[] } = {
    resources: served,
    failed: [],
  };
  /** Where a connection is half-open. */
  const silence = { discovery: false, proof: false };
  const discovery: ResourceDiscovery = {
    identify: () => Promise.resolve({ id: 'c-1', version: 'v1' }),
    resources: (_, { previous, signal }) =>
      silence.discovery
        ? never(signal)
        : Promise.resolve(previous !== undefined && previous === current ? previous : current),
    isGone(_, { plural }, signal) {
      asked.push(`whether ${plural} is gone`);
      return silence.proof ? never(signal) : Promise.resolve(gone.has(plural));
    },
  };
  return {
    clock,
    store,
    sink,
    parts,
    asked,
    silence,
    fail(...groupVersions: string[]) {
      current = { resources: served, failed: groupVersions.map((groupVersion) => ({ groupVersion, message: 'no' })) };
    },
    /** What discovery shows from now on, and which of the others are proved to be gone. */
    serve(resources: readonly ResourceInfo[], ...goneForGood: string[]) {
      served = resources;
      gone.clear();
      for (const plural of goneForGood) gone.add(plural);
      current = { resources: served, failed: [] };
      parts.customresourcedefinitions.set('changed', Math.random());
    },
    /** From then on it is proved that these are gone; what discovery shows does not change. */
    prove(...goneForGood: string[]) {
      for (const plural of goneForGood) gone.add(plural);
    },
    start(more: Partial<ScriptedRun> & { id?: string } = {}) {
      const stop = new AbortController();
      const giveUp = new AbortController();
      const services = scriptedRun(store, clock, { sink, ...more });
      const task = {
        cluster: { id: clusterId('c-1'), name: 'one', api, fingerprint: '' },
        discovery,
        wanted: { resources: [], excludeResources: [], namespaces: [], shard: { index: 0, count: 1 } },
        stop: stop.signal,
        giveUp: giveUp.signal,
      };
      const done = runCluster(task, services);
      done.catch(() => undefined);
      return {
        services,
        async stop(): Promise<readonly StreamOutcome[]> {
          stop.abort(new Error('stop'));
          return await settle(done, clock);
        },
        /** Ends without waiting for what is still to be published. */
        async abandon(): Promise<void> {
          giveUp.abort(new Error('give up'));
          stop.abort(new Error('stop'));
          await settle(done, clock);
        },
        done,
      };
    },
    async until(what: string, holds: () => boolean): Promise<void> {
      for (let turn = 0; turn < 3_000; turn += 1) {
        await idle();
        if (holds()) return;
        clock.jump();
      }
      throw new Error(`it never came about that ${what}: ${changesOf(sink.published).join(', ')}`);
    },
  };
}

const published = ({ sink }: ReturnType<typeof world>): string[] => changesOf(sink.published);

describe('a cluster', () => {
  test('follows what it serves, and a new resource as soon as it is served', async () => {
    const here = world();
    here.parts.widgets.set('w', 1);
    here.parts.gizmos.set('g', 1);
    const run = here.start();
    await here.until('w is published', () => published(here).includes('add w@11'));
    expect(here.asked.some((path) => path.endsWith('gizmos'))).toBe(false);
    const startedAt = here.clock.now();
    here.serve([info('widgets'), info('gizmos')]);
    await here.until('g is published', () => published(here).includes('add g@11'));
    expect(here.clock.now() - startedAt).toBeLessThan(10_000);
    expect((await run.stop()).map(({ end }) => end)).toEqual(['stopped', 'stopped']);
  });

  test('asks in the version that is served now, on the same stream', async () => {
    const here = world();
    here.parts.widgets.set('w', 1);
    const run = here.start();
    await here.until('w is published', () => published(here).includes('add w@11'));
    here.serve([info('widgets', 'v2')]);
    await here.until('discovery was read', () => here.clock.timers > 0);
    here.parts.widgets.down(true);
    await here.until('it is asked for in v2', () => {
      here.parts.widgets.down(false);
      return here.asked.includes('/apis/example.com/v2/widgets');
    });
    await run.stop();
    expect((await here.store.log.streams()).map(({ plural }) => plural)).toEqual(['widgets']);
  });

  test('buries the objects of a resource that is gone, but only with proof', async () => {
    const here = world();
    here.parts.widgets.set('w', 1);
    const run = here.start();
    await here.until('w is published', () => published(here).includes('add w@11'));
    here.parts.widgets.refuse(404);
    here.serve([]);
    here.parts.widgets.down(true);
    await here.until('it was tried in vain', () => {
      here.parts.widgets.down(false);
      return run.services.board.snapshot(0)[0]?.state === 'parked';
    });
    expect(published(here)).toEqual(['add w@11']);
    // Discovery says the same as before, as a server that answers 304 does.
    here.prove('widgets');
    await here.until('w is buried', () => published(here).includes('delete w@11'));
    await run.stop();
  });

  test('does not hurry the streams that wait while the proof that another resource is gone is missing', async () => {
    const here = world();
    here.parts.widgets.set('w', 1);
    here.parts.gizmos.refuse(503);
    here.serve([info('widgets'), info('gizmos')]);
    const run = here.start();
    await here.until('w is published', () => published(here).includes('add w@11'));
    here.serve([info('gizmos')]);
    const askedForGizmos = (): number => here.asked.filter((path) => path.endsWith('/gizmos')).length;
    const startedAt = here.clock.now();
    const before = askedForGizmos();
    await here.until('ten minutes passed', () => here.clock.now() - startedAt > 600_000);
    // 31 by its own backoff of up to 30 s; twice as many where each look at discovery wakes it.
    expect(askedForGizmos() - before).toBeLessThanOrEqual(40);
    expect(published(here)).toEqual(['add w@11']);
    await run.stop();
  });

  test('promise 8: where discovery falls silent, it is asked again', async () => {
    const here = world();
    here.parts.widgets.set('w', 1);
    here.silence.discovery = true;
    const run = here.start();
    await here.until('it was given up', () => {
      here.silence.discovery = here.clock.now() < Date.UTC(2026, 0, 1) + 60_000;
      return published(here).includes('add w@11');
    });
    here.silence.proof = true;
    here.serve([info('gizmos')]);
    await here.until('gizmos are followed although no proof comes that widgets are gone', () =>
      here.asked.includes('/apis/example.com/v1/gizmos'),
    );
    here.silence.proof = false;
    here.serve([info('gizmos')], 'widgets');
    await here.until('w is buried', () => published(here).includes('delete w@11'));
    await run.stop();
  });

  test('promise 1: a resource whose group could not be read is not gone, the core group neither', async () => {
    const here = world();
    here.parts.widgets.set('w', 1);
    here.serve([{ ...info('widgets'), group: '' }]);
    const run = here.start();
    await here.until('w is published', () => published(here).includes('add w@11'));
    here.serve([], 'widgets');
    here.fail('v1');
    for (let turn = 0; turn < 50; turn += 1) {
      await idle();
      here.clock.jump();
    }
    expect(published(here)).toEqual(['add w@11']);
    await run.stop();
  });

  test('a server that starts and does not show its resources yet gives no tombstones', async () => {
    const here = world();
    here.parts.widgets.set('w', 1);
    const first = here.start();
    await here.until('w is published', () => published(here).includes('add w@11'));
    await first.stop();
    here.serve([]);
    const second = here.start();
    await here.until('it looked', () => here.clock.timers > 0);
    for (let turn = 0; turn < 20; turn += 1) {
      await idle();
      here.clock.jump();
    }
    await second.stop();
    expect(published(here)).toEqual(['add w@11']);
  });

  test('promise 1: a resource that vanished while nothing was running is buried; one that is made anew later is followed', async () => {
    const here = world();
    here.parts.widgets.set('w', 1);
    const first = here.start();
    await here.until('w is published', () => published(here).includes('add w@11'));
    await first.stop();
    here.serve([], 'widgets');
    const second = here.start();
    await here.until('w is buried', () => published(here).includes('delete w@11'));
    here.parts.widgets.delete('w');
    here.parts.widgets.set('new', 1);
    here.serve([info('widgets')]);
    await here.until('the new one is followed', () => published(here).includes('add new@13'));
    await second.stop();
  });

  test('promise 1: a proof that a resource is gone says nothing of what is heard of it afterwards', async () => {
    const here = world();
    const { widgets } = here.parts;
    widgets.set('w', 1);
    const run = here.start();
    await here.until('w is published', () => published(here).includes('add w@11'));
    here.serve([], 'widgets');
    await here.until('it was asked', () => here.asked.includes('whether widgets is gone'));
    // Made anew: discovery comes to see it later, and the server that is asked next does not know it yet.
    widgets.delete('w');
    widgets.set('new', 1);
    await here.until('the new one is published', () => published(here).includes('add new@13'));
    here.serve([]);
    widgets.refuse(404);
    widgets.down(true);
    await here.until('it was tried in vain', () => {
      widgets.down(false);
      return run.services.board.snapshot(0)[0]?.state === 'parked';
    });
    widgets.refuse(undefined);
    widgets.set('new', 2);
    here.serve([info('widgets')]);
    await here.until('it goes on', () => published(here).includes('update new@14'));
    expect(published(here)).toEqual(['add w@11', 'delete w@12', 'add new@13', 'update new@14']);
    await run.stop();
  });

  test('a resource of which something was heard while the proof was sought is asked about again', async () => {
    const here = world();
    const { widgets } = here.parts;
    widgets.set('w', 1);
    const run = here.start();
    await here.until('w is published', () => published(here).includes('add w@11'));
    here.serve([], 'widgets');
    await here.until('it was asked', () => here.asked.includes('whether widgets is gone'));
    widgets.set('w', 2);
    await here.until('w is published', () => published(here).includes('update w@12'));
    widgets.refuse(404);
    widgets.down(true);
    await here.until('w is buried', () => {
      widgets.down(false);
      return published(here).includes('delete w@12');
    });
    await run.stop();
  });

  test('a resource without objects that vanished while nothing was running ends its life as well', async () => {
    const here = world();
    const first = here.start();
    await here.until('it is synchronised', () => first.services.board.snapshot(0)[0]?.state === 'watching');
    await first.stop();
    const [stream] = await here.store.log.streams(clusterId('c-1'));
    if (stream === undefined) throw new Error('nothing was recorded');
    expect((await here.store.log.position(stream)).resourceVersion).toBeDefined();
    here.serve([], 'widgets');
    const second = here.start();
    await here.until('the next epoch began', () => second.services.board.snapshot(0)[0]?.epoch === 2);
    await second.stop();
    expect((await here.store.log.position(stream)).resourceVersion).toBeUndefined();
    expect(await here.store.checkpoints.get(stream)).toMatchObject({ epoch: 2 });
  });

  test('promise 1: tombstones of a gone resource that were recorded, and not published before the run ended, are published by the next', async () => {
    const here = world();
    here.parts.widgets.set('w', 1);
    const first = here.start();
    await here.until('w is published', () => published(here).includes('add w@11'));
    here.sink.before = (_, signal) => never(signal);
    here.parts.widgets.refuse(404);
    here.serve([], 'widgets');
    await here.until('it is buried', () => first.services.board.snapshot(0)[0]?.epoch === 2);
    await first.abandon();
    expect(published(here)).toEqual(['add w@11']);
    here.sink.before = () => undefined;
    const second = here.start();
    await here.until('the tombstone is published', () => published(here).includes('delete w@11'));
    await second.stop();
    const [stream] = await here.store.log.streams(clusterId('c-1'));
    // It ended once: nothing lived in between.
    expect(stream === undefined ? undefined : (await here.store.log.position(stream)).epoch).toBe(2);
  });

  test('promise 1: a resource that comes back while its end is still being published is followed again', async () => {
    const here = world();
    here.parts.widgets.set('w', 1);
    const run = here.start();
    await here.until('w is published', () => published(here).includes('add w@11'));
    let stuck = Promise.withResolvers<void>();
    here.sink.before = () => stuck.promise;
    here.parts.widgets.refuse(404);
    here.parts.widgets.down(true);
    await idle();
    here.parts.widgets.down(false);
    here.serve([], 'widgets');
    await here.until('it ends', () => run.services.board.snapshot(0)[0]?.epoch === 2);
    here.parts.widgets.refuse(undefined);
    here.parts.widgets.delete('w');
    here.parts.widgets.set('new', 1);
    here.serve([info('widgets')]);
    for (let turn = 0; turn < 30; turn += 1) {
      await idle();
      here.clock.jump();
    }
    stuck.resolve();
    stuck = Promise.withResolvers();
    stuck.resolve();
    await here.until('the new one is followed', () => published(here).includes('add new@13'));
    await run.stop();
  });

  test('promise 8: a stream that fails is started again, and leaves the others alone', async () => {
    const here = world();
    here.serve([info('widgets'), info('gizmos')]);
    let broken = true;
    const log: typeof here.store.log = {
      ...here.store.log,
      append: (stream, batch) =>
        broken && stream.plural === 'gizmos'
          ? Promise.reject(new Mk8sError('The data folder is damaged', { code: 'storage' }))
          : here.store.log.append(stream, batch),
    };
    here.parts.widgets.set('w', 1);
    here.parts.gizmos.set('g', 1);
    const run = here.start({ log });
    await here.until('w is published', () => published(here).includes('add w@11'));
    await here.until('g failed', () => run.services.reports.some(({ severity }) => severity === 'ERROR'));
    here.parts.widgets.set('w', 2);
    await here.until('w goes on', () => published(here).includes('update w@12'));
    broken = false;
    await here.until('g is followed', () => published(here).includes('add g@11'));
    await run.stop();
  });

  test('promise 10: a stream that was failing when another noticed a restore compares anew, too', async () => {
    const here = world();
    here.serve([info('widgets'), info('gizmos')]);
    let broken = false;
    const log: typeof here.store.log = {
      ...here.store.log,
      append: (stream, batch) =>
        broken && stream.plural === 'widgets'
          ? Promise.reject(new Mk8sError('The data folder is damaged', { code: 'storage' }))
          : here.store.log.append(stream, batch),
    };
    const { widgets, gizmos } = here.parts;
    widgets.set('w', 1);
    for (const name of ['g', 'h', 'i']) gizmos.set(name, 1);
    const run = here.start({ log });
    const epochs = (): unknown =>
      Object.fromEntries(run.services.board.snapshot(0).map(({ stream, epoch }) => [stream.plural, epoch]));
    await here.until('all is published', () => published(here).length === 4);
    broken = true;
    widgets.set('w', 2);
    await here.until('widgets failed', () => run.services.reports.some(({ severity }) => severity === 'ERROR'));
    here.parts.gizmos = scriptedCluster();
    gizmos.down(true);
    await here.until('gizmos began an epoch', () => (epochs() as { gizmos: number }).gizmos === 2);
    broken = false;
    await here.until('w goes on', () => published(here).includes('update w@12'));
    expect(epochs()).toEqual({ widgets: 2, gizmos: 2 });
    expect(run.services.tally.gaps).toBe(2);
    await run.stop();
  });

  test('in catch-up, one stream that fails does not keep the others from ending', async () => {
    const here = world();
    here.serve([info('widgets'), info('gizmos')]);
    const log: typeof here.store.log = {
      ...here.store.log,
      append: (stream, batch) =>
        stream.plural === 'gizmos'
          ? Promise.reject(new Mk8sError('The data folder is damaged', { code: 'storage' }))
          : here.store.log.append(stream, batch),
    };
    here.parts.widgets.set('w', 1);
    const outcomes = await settle(here.start({ log, mode: 'catch-up' }).done, here.clock);
    expect(outcomes.map(({ stream, end, failure }) => [stream.plural, end, failure])).toEqual([
      ['widgets', 'caught-up', undefined],
      ['gizmos', 'failed', 'The data folder is damaged'],
    ]);
    expect(await here.store.log.position(testStream())).toMatchObject({ objects: 1 });
  });
});

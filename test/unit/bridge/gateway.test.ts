// Forty streams of eight clusters behind a gateway that allows ten, and refuses an eleventh: the whole bridge, on a clock that
// is moved on.
import { describe, expect, test } from 'vitest';
import { runBridge } from '../../../lib/bridge/bridge.ts';
import { formatGroupResource } from '../../../lib/model/resource.ts';
import { createQuota, type QuotaLimits } from '../../../lib/plan/quota.ts';
import type { ClusterCandidate, ClusterSource } from '../../../lib/ports/cluster-source.ts';
import type { ResourceDiscovery } from '../../../lib/ports/resource-discovery.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { meteredGateway } from '../../support/metered-gateway.ts';
import {
  memorySink,
  type ScriptedCluster,
  type ScriptedRun,
  scriptedCluster,
  scriptedRun,
} from '../../support/scripted-bridge.ts';
import { createScriptedClock, idle, settle } from '../../support/scripted-clock.ts';
import { scriptedPolicy } from '../../support/scripted-watch.ts';

const CLUSTERS = 8;
const PLURALS = ['widgets', 'gadgets', 'gizmos', 'doodads', 'things'];
const STREAMS = CLUSTERS * PLURALS.length;
const LIMITS = { streams: 10, requestsPerMinute: 2_400 };

/** `allows`: what the gateway really does. */
function world({
  limits = LIMITS,
  allows,
  direct = [],
}: {
  limits?: QuotaLimits;
  allows?: QuotaLimits;
  direct?: readonly string[];
} = {}) {
  const clock = createScriptedClock();
  const store = createMemoryStore(clock, { isAlive: () => false });
  const sink = memorySink();
  const gateway = meteredGateway(clock, allows ?? limits);
  const quota = createQuota('the gateway', limits, clock);
  const clusters = new Map<string, ScriptedCluster>();
  const names = [...Array.from({ length: CLUSTERS }, (_, index) => `c${index}`), ...direct];
  for (const name of names) clusters.set(name, scriptedCluster({ clock }));
  const of = (name: string): ScriptedCluster => clusters.get(name) as ScriptedCluster;
  const candidates = names.map((name): ClusterCandidate => {
    const isDirect = direct.includes(name);
    return {
      name,
      source: 'test',
      server: `https://${name}`,
      namespace: 'default',
      isDefault: false,
      fingerprint: '',
      ...(isDirect ? {} : { gateway: 'the gateway' }),
      connect: () => {
        // The fakes have one address; these tell them apart.
        const api = { ...of(name).api, server: `https://${name}` };
        return isDirect ? api : quota.open(gateway.forward(api));
      },
    };
  });
  const source: ClusterSource = { name: 'test', discover: () => Promise.resolve({ candidates, problems: [] }) };
  const discovery: ResourceDiscovery = {
    async identify(api) {
      await api.request({ path: '/api/v1/namespaces/kube-system' });
      return { id: `id-${api.server.slice('https://'.length)}`, version: 'v1' };
    },
    async resources(api, { previous }) {
      await api.request({ path: '/apis' });
      const of = { group: 'example.com', version: 'v1', kind: 'Widget', namespaced: false, custom: true };
      const resources = PLURALS.map((plural) => ({ ...of, plural, verbs: ['list', 'watch'] }));
      return previous ?? { resources, failed: [] };
    },
    isGone: () => Promise.resolve(false),
  };
  let runs = 0;

  function run(more: Partial<ScriptedRun> = {}) {
    const stop = new AbortController();
    runs += 1;
    const services = scriptedRun(store, clock, { sink, id: `run-${runs}`, ...more });
    const done = runBridge({
      ...services,
      sources: [source],
      discovery,
      wanted: { resources: [], excludeResources: [], namespaces: [], shard: { index: 0, count: 1 } },
      refreshMs: 30_000,
      stop: stop.signal,
      onInventory: () => undefined,
    });
    done.catch(() => undefined);
    return { done, stop, board: services.board };
  }

  /** Streams that have recorded what their cluster is at now. */
  async function current(): Promise<number> {
    const streams = await store.log.streams();
    const positions = await Promise.all(streams.map((stream) => store.log.position(stream)));
    return streams.filter(({ cluster }, index) => {
      return Number(positions[index]?.resourceVersion) === of(cluster.slice('id-'.length)).version;
    }).length;
  }

  async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    for (let turn = 0; turn < 20_000; turn += 1) {
      await idle();
      if (await holds()) return;
      clock.jump();
    }
    throw new Error(`it never came about that ${what}; refused: ${gateway.refused.join(', ')}`);
  }

  async function passed(ms: number): Promise<void> {
    const end = clock.now() + ms;
    await until(`${ms} ms passed`, () => clock.now() >= end);
  }
  return { clock, store, sink, gateway, clusters, of, run, current, until, passed };
}

describe('forty streams behind a gateway that allows ten', () => {
  test('promise 1: all changes arrive, also those of the time between two turns, and the gateway refuses nothing', async () => {
    const here = world();
    for (const [, cluster] of here.clusters) cluster.set('a', 0);
    const { stop, done } = here.run();
    await here.until('all are synchronised', async () => (await here.current()) === STREAMS);
    for (let round = 1; round <= 30; round += 1) {
      for (const [name, cluster] of here.clusters) {
        if ((round + name.charCodeAt(1)) % 3 === 0) continue;
        cluster.set(`a${round % 4}`, round);
        if (round % 5 === 0) cluster.delete(`a${(round + 1) % 4}`);
      }
      await here.passed(7_000);
    }
    const changedAt = here.clock.now();
    await here.until('all are current', async () => (await here.current()) === STREAMS);
    // A turn of 15 s, every 60 s, with the way there and back.
    expect((here.clock.now() - changedAt) / 1000).toBeLessThanOrEqual(75);
    stop.abort(new Error('stop'));
    await settle(done, here.clock);

    for (const [name, cluster] of here.clusters) {
      const expected = Array.from(cluster.changedUpTo(cluster.version).entries());
      for (const plural of PLURALS) {
        const own = here.sink.published.filter(
          ({ stream }) => stream.cluster === `id-${name}` && stream.plural === plural,
        );
        const told = expected.map(([object]) => {
          const last = own.findLast((revision) => revision.name === object);
          return [object, { version: Number(last?.asOf), deleted: last?.type === 'delete' }];
        });
        expect(told, `${name} ${plural}`).toEqual(
          expected.map(([object, { version, deleted }]) => [object, { version, deleted }]),
        );
        // Not by comparing lists: every change was told by a watch, in its order.
        expect(own.filter(({ origin }) => origin === 'relist')).toEqual([]);
        expect(own.map(({ sequence }) => sequence)).toEqual(own.map((_, index) => index + 1));
      }
    }
    expect(here.gateway.refused).toEqual([]);
    expect(here.gateway.peak).toBe(10);
    expect(here.gateway.openStreams).toBe(0);
    expect(here.gateway.busiest).toBeLessThanOrEqual(140);
  });

  test('promise 10: the status shows streams between their turns as queued, how far behind they may be, and no error', async () => {
    const here = world();
    const { stop, done, board } = here.run();
    await here.until('all are synchronised', async () => (await here.current()) === STREAMS);
    await here.passed(180_000);
    const rows = board.snapshot(here.clock.now());
    const counts = Object.groupBy(rows, ({ state }) => state);
    expect(rows).toHaveLength(STREAMS);
    expect(counts.watching?.length ?? 0).toBeLessThanOrEqual(10);
    expect((counts.queued?.length ?? 0) + (counts.watching?.length ?? 0) + (counts.starting?.length ?? 0)).toBe(
      STREAMS,
    );
    for (const row of rows) {
      expect(row.error).toBeUndefined();
      expect(here.clock.now() - row.currentAt).toBeLessThanOrEqual(50_000);
      expect(here.clock.now() - row.lastBookmarkAt).toBeLessThanOrEqual(75_000);
    }
    stop.abort(new Error('stop'));
    await settle(done, here.clock);
  });

  test('catch up, in the time that the plan says', async () => {
    const here = world();
    const first = here.run({ mode: 'catch-up', policy: { ...scriptedPolicy, timeoutSeconds: () => 15 } });
    expect((await settle(first.done, here.clock, 20_000)).outcomes).toHaveLength(STREAMS);
    // Past what any one of them had.
    for (const [, cluster] of here.clusters) cluster.set('a', 1);
    const startedAt = here.clock.now();
    const second = here.run({ mode: 'catch-up', policy: { ...scriptedPolicy, timeoutSeconds: () => 15 } });
    const { outcomes } = await settle(second.done, here.clock, 20_000);
    expect(outcomes.map(({ end }) => end)).toEqual(Array.from({ length: STREAMS }, () => 'caught-up'));
    expect(await here.current()).toBe(STREAMS);
    expect((here.clock.now() - startedAt) / 1000).toBeLessThanOrEqual(60);
    expect(here.gateway.refused).toEqual([]);
  });

  test('promise 8: hold up nobody who is reached directly', async () => {
    const here = world({ limits: { streams: 1, requestsPerMinute: 60 }, direct: ['d0'] });
    const startedAt = here.clock.now();
    const { stop, done } = here.run();
    const own = async (): Promise<string[]> =>
      (await here.store.log.streams('id-d0')).map((stream) => formatGroupResource(stream));
    await here.until('the direct one is followed', async () => (await own()).length === PLURALS.length);
    here.of('d0').set('a', 1);
    await here.until('its change is published', () =>
      PLURALS.every((plural) =>
        here.sink.published.some(({ stream }) => stream.cluster === 'id-d0' && stream.plural === plural),
      ),
    );
    expect(here.clock.now() - startedAt).toBeLessThanOrEqual(1_000);
    stop.abort(new Error('stop'));
    await settle(done, here.clock);
  });

  test('where somebody else uses streams too, wait as the gateway says, and all changes arrive', async () => {
    const here = world({ allows: { ...LIMITS, streams: 6 } });
    const { stop, done } = here.run();
    await here.until('all are synchronised', async () => (await here.current()) === STREAMS);
    for (let round = 1; round <= 10; round += 1) {
      for (const [, cluster] of here.clusters) cluster.set(`a${round % 3}`, round);
      await here.passed(10_000);
    }
    await here.until('all are current', async () => (await here.current()) === STREAMS);
    stop.abort(new Error('stop'));
    await settle(done, here.clock);
    expect(here.gateway.refused.length).toBeGreaterThan(0);
    expect(new Set(here.gateway.refused)).toEqual(new Set(['6 active streams']));
    expect(here.gateway.peak).toBe(6);
  });
});

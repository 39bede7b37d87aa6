// One inventory of clusters out of several sources, refreshed while running.
import { describe, expect, test } from 'vitest';
import type { DefaultWish } from '../../../lib/discover/default-cluster.ts';
import { followInventory } from '../../../lib/discover/inventory.ts';
import type { Inventory } from '../../../lib/discover/merge.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import type { ClusterCandidate, ClusterSource } from '../../../lib/ports/cluster-source.ts';
import type { ClusterAnswer } from '../../../lib/ports/resource-discovery.ts';
import { type FakeApiServer, fakeApiServer } from '../../support/fake-api-server.ts';
import { createScriptedClock, idle } from '../../support/scripted-clock.ts';

interface Named extends Partial<ClusterCandidate> {
  readonly name: string;
}

function world() {
  const clock = createScriptedClock();
  const stop = new AbortController();
  const apis = new Map<object, { name: string; api: FakeApiServer }>();
  /** Name → the cluster's id, 'silence', 'refusal', or why it does not say. */
  const identities = new Map<string, string | Error>();
  /** Names of clusters that may not be asked who they are. */
  const byAddress = new Set<string>();
  let latest: Inventory | undefined;
  const candidate = (source: string, { name, ...more }: Named): ClusterCandidate => ({
    name,
    source,
    server: `https://${name}`,
    namespace: 'default',
    isDefault: false,
    fingerprint: 'f1',
    connect() {
      const api = fakeApiServer(() => ({}));
      apis.set(api, { name, api });
      return api;
    },
    ...more,
  });
  return {
    clock,
    stop,
    apis,
    identities,
    byAddress,
    candidate,
    latest: () => latest,
    start(sources: readonly ClusterSource[], wish: DefaultWish = {}) {
      const discovery = {
        identify(api: object, signal: AbortSignal): Promise<ClusterAnswer> {
          const name = apis.get(api)?.name ?? '';
          const identity = identities.get(name) ?? `id-${name}`;
          if (identity === 'refusal') return Promise.resolve({ id: `by ${name}`, version: 'v1.36', byAddress: true });
          if (identity instanceof Error) return Promise.reject(identity);
          if (identity !== 'silence') {
            return Promise.resolve({
              id: identity,
              version: 'v1.36',
              ...(byAddress.has(name) ? { byAddress: true } : {}),
            });
          }
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
        },
      };
      const follow = async (): Promise<void> => {
        const options = { sources, discovery, wish, refreshMs: 30_000, clock, random: () => 0.5, signal: stop.signal };
        for await (const inventory of followInventory(options)) latest = inventory;
      };
      follow().catch(() => undefined);
    },
    async until(holds: (inventory: Inventory) => boolean): Promise<Inventory> {
      for (let turn = 0; turn < 500; turn += 1) {
        await idle();
        if (latest !== undefined && holds(latest)) return latest;
        clock.jump();
      }
      throw new Error(`it never came about, but ${JSON.stringify(latest?.infos)}`);
    },
  };
}

const fixed = (name: string, candidates: readonly ClusterCandidate[]): ClusterSource => ({
  name,
  discover: () => Promise.resolve({ candidates, problems: [] }),
});
const names = (inventory: Inventory): string[] => inventory.infos.map(({ name }) => name);

describe('the inventory', () => {
  test('takes two ways to one cluster as one, the default first, with the other names as aliases', async () => {
    const here = world();
    here.identities.set('a', 'same').set('b', 'same');
    here.start([
      fixed('one', [here.candidate('one', { name: 'a' })]),
      fixed('two', [here.candidate('two', { name: 'b', isDefault: true }), here.candidate('two', { name: 'c' })]),
    ]);
    const inventory = await here.until(({ complete, reached }) => complete && reached.length === 2);
    expect(inventory.infos).toMatchObject([
      { id: 'same', name: 'b', aliases: ['a'], sources: ['two', 'one'], isDefault: true, version: 'v1.36' },
      { id: 'id-c', name: 'c' },
    ]);
    here.stop.abort();
  });

  test('tells whom to trust on the way that it takes, and under which name', async () => {
    const here = world();
    const trust = { certificateAuthority: 'PEM', tlsServerName: 'kubernetes.internal' };
    here.start([fixed('one', [here.candidate('one', { name: 'a', ...trust })])]);
    expect((await here.until(({ complete }) => complete)).infos).toMatchObject([{ name: 'a', ...trust }]);
    here.stop.abort();
  });

  test('takes a way that is not open for the cluster that another way of the same platform name reached', async () => {
    const here = world();
    here.identities.set('direct', new Mk8sError('no route', { code: 'unreachable' })).set('gateway', 'uid');
    const id = '//container.googleapis.com/projects/p/locations/l/clusters/a';
    here.start([
      fixed('gke', [here.candidate('gke', { name: 'direct', id, state: 'RUNNING' })]),
      fixed('fleet', [here.candidate('fleet', { name: 'gateway', id }), here.candidate('fleet', { name: 'other' })]),
    ]);
    const inventory = await here.until(({ complete, reached }) => complete && reached.length === 2);
    expect(inventory.infos).toMatchObject([
      { id: 'uid', name: 'gateway', aliases: ['direct'], sources: ['gke', 'fleet'], state: 'RUNNING' },
      { id: 'id-other', name: 'other' },
    ]);
    expect(inventory.infos[0]).not.toHaveProperty('error');
    here.stop.abort();
  });

  test('has a default by region where none is current, and never one that only an object of a cluster names', async () => {
    const here = world();
    here.start(
      [
        fixed('told', [here.candidate('told', { name: 'a', location: 'us-east1', untrusted: true })]),
        fixed('gke', [
          here.candidate('gke', { name: 'b', location: 'us-west1' }),
          here.candidate('gke', { name: 'c', location: 'us-east1-b' }),
        ]),
      ],
      { region: 'us-east1' },
    );
    const inventory = await here.until(({ complete, reached }) => complete && reached.length === 3);
    expect(inventory.infos.filter(({ isDefault }) => isDefault).map(({ name }) => name)).toEqual(['c']);
    expect(inventory.problems).toEqual([]);
    here.stop.abort();
  });

  test('says that the default which is named is not there, and takes no other', async () => {
    const here = world();
    const sources = [fixed('gke', [here.candidate('gke', { name: 'b', location: 'us-east1' })])];
    here.start(sources, { named: 'gke://p/us-east1/a', region: 'us-east1' });
    const inventory = await here.until(({ complete, reached }) => complete && reached.length === 1);
    expect(inventory.infos.some(({ isDefault }) => isDefault)).toBe(false);
    expect(inventory.problems).toMatchObject([
      { source: 'default cluster', message: expect.stringContaining('gke://p/us-east1/a') },
    ]);
    here.stop.abort();
  });

  test('promise 8: shows who was reached while another does not answer, says why it did not, and tries again', async () => {
    const here = world();
    here.identities.set('slow', 'silence');
    here.start([fixed('one', [here.candidate('one', { name: 'slow' }), here.candidate('one', { name: 'b' })])]);
    const startedAt = here.clock.now();
    expect((await here.until(({ reached }) => reached.length === 1)).complete).toBe(false);
    expect(here.clock.now()).toBe(startedAt);
    const tried = await here.until(({ complete }) => complete);
    expect(tried.infos).toMatchObject([{ name: 'slow', error: expect.stringContaining('within 15') }, { name: 'b' }]);
    here.identities.set('slow', 'awake');
    expect((await here.until(({ reached }) => reached.length === 2)).infos[0]?.error).toBeUndefined();
    here.stop.abort();
  });

  test('follows clusters that join, leave, and are reached in another way', async () => {
    const here = world();
    let candidates = [here.candidate('one', { name: 'a' })];
    here.start([{ name: 'one', discover: () => Promise.resolve({ candidates, problems: [] }) }]);
    const first = await here.until(({ reached }) => reached.length === 1);
    candidates = [here.candidate('one', { name: 'a', fingerprint: 'f2' }), here.candidate('one', { name: 'b' })];
    const second = await here.until(({ reached }) => reached.length === 2);
    expect(second.reached.find(({ name }) => name === 'a')?.api).not.toBe(first.reached[0]?.api);
    expect([...here.apis.values()][0]?.api.closed()).toBe(true);
    candidates = [];
    await here.until(({ infos }) => infos.length === 0);
    expect([...here.apis.values()].every(({ api }) => api.closed())).toBe(true);
    here.stop.abort();
  });

  test('keeps the clusters of a source that fails just now, and tells its problem', async () => {
    const here = world();
    let failing = false;
    const source: ClusterSource = {
      name: 'one',
      discover: () =>
        failing
          ? Promise.reject(new Mk8sError('The kubeconfig does not parse', { code: 'config' }))
          : Promise.resolve({ candidates: [here.candidate('one', { name: 'a' })], problems: [] }),
    };
    here.start([source, fixed('two', [here.candidate('two', { name: 'b' })])]);
    await here.until(({ reached }) => reached.length === 2);
    failing = true;
    const inventory = await here.until(({ problems }) => problems.length > 0);
    expect(inventory.problems).toEqual([{ source: 'one', message: 'The kubeconfig does not parse' }]);
    expect(names(inventory)).toEqual(['a', 'b']);
    expect(inventory.reached).toHaveLength(2);
    here.stop.abort();
  });

  test('tells of a cluster that cannot work at all, without ending', async () => {
    const here = world();
    const broken = here.candidate('one', {
      name: 'broken',
      connect: () => {
        throw new Mk8sError('Context "broken" has no server', { code: 'config' });
      },
    });
    here.start([fixed('one', [broken, here.candidate('one', { name: 'a' })])]);
    const inventory = await here.until(({ complete }) => complete);
    expect(inventory.infos).toMatchObject([{ name: 'broken', error: 'Context "broken" has no server' }, { name: 'a' }]);
    here.stop.abort();
  });

  test('a role that is missing for a moment makes no other cluster; one that stays missing makes it go by its address', async () => {
    const here = world();
    here.identities.set('a', 'refusal').set('b', 'refusal');
    here.start([fixed('one', [here.candidate('one', { name: 'a' }), here.candidate('one', { name: 'b' })])]);
    for (let turn = 0; turn < 10; turn += 1) await idle();
    expect(here.latest()).toMatchObject({ complete: false, reached: [] });
    here.identities.set('a', 'id-a');
    expect((await here.until(({ reached }) => reached.length === 2)).reached.map(({ id }) => id)).toEqual([
      'id-a',
      'by b',
    ]);
    here.identities.set('a', 'refusal').set('b', 'id-b');
    const later = await here.until(({ reached }) => reached.some(({ id }) => id === 'id-b'));
    expect(later.reached.map(({ id }) => id)).toEqual(['id-a', 'id-b']);
    here.stop.abort();
  });

  test('takes what the cluster says of itself over what its platform calls it, so that every way leads to one', async () => {
    const here = world();
    here.identities.set('a', 'same').set('b', 'same');
    const platform = { project: 'p', location: 'l', state: 'RUNNING', labels: { env: 'prod' } };
    here.start([
      fixed('kubeconfig', [here.candidate('kubeconfig', { name: 'b', isDefault: true })]),
      fixed('gke', [here.candidate('gke', { name: 'a', id: 'projects/p/locations/l/clusters/a', ...platform })]),
    ]);
    const { infos } = await here.until(({ reached, infos: all }) => reached.length === 1 && all.length === 1);
    expect(infos).toMatchObject([{ id: 'same', name: 'b', aliases: ['a'], ...platform }]);
    here.stop.abort();
  });

  test('goes by what the platform calls a cluster where that may not be asked', async () => {
    const here = world();
    here.byAddress.add('a').add('c');
    here.start([
      fixed('gke', [here.candidate('gke', { name: 'a', id: 'platform' }), here.candidate('gke', { name: 'c' })]),
    ]);
    const { infos } = await here.until(({ reached }) => reached.length === 2);
    expect(infos.map(({ id }) => id)).toEqual(['platform', 'id-c']);
    here.stop.abort();
  });

  test('lists a cluster that is not available with the reason, and does not connect to it', async () => {
    const here = world();
    const candidate = here.candidate('gke', { name: 'a', state: 'PROVISIONING', unavailable: 'GKE says PROVISIONING' });
    here.start([fixed('gke', [candidate])]);
    const inventory = await here.until(({ complete }) => complete);
    expect(inventory.infos).toMatchObject([{ name: 'a', state: 'PROVISIONING', error: 'GKE says PROVISIONING' }]);
    expect(inventory.reached).toEqual([]);
    expect(here.apis.size).toBe(0);
    here.stop.abort();
  });

  test('promise 8: shows what other sources named while one does not answer, and is not complete before it did', async () => {
    const here = world();
    const silent: ClusterSource = { name: 'slow', discover: () => new Promise(() => undefined) };
    here.start([silent, fixed('fast', [here.candidate('fast', { name: 'a' })])]);
    const early = await here.until(({ reached }) => reached.length === 1);
    expect(early.complete).toBe(false);
    const late = await here.until(({ problems }) => problems.length === 1);
    expect(late.problems).toEqual([{ source: 'slow', message: 'it did not answer within 60 s' }]);
    expect(late.complete).toBe(true);
    here.stop.abort();
  });

  test('reads a source again as soon as it says that it changed, and not more often than every second', async () => {
    const here = world();
    const readAt: number[] = [];
    const eager: ClusterSource = {
      name: 'eager',
      discover() {
        readAt.push(here.clock.now());
        return Promise.resolve({ candidates: [here.candidate('eager', { name: `a${readAt.length}` })], problems: [] });
      },
      changed: () => Promise.resolve(),
    };
    here.start([eager]);
    await here.until(() => readAt.length === 4);
    expect(readAt.map((at) => at - (readAt[0] ?? 0))).toEqual([0, 1_000, 2_000, 3_000]);
    here.stop.abort();
  });

  test('reads a source that cannot say whether it changed at intervals', async () => {
    const here = world();
    const readAt: number[] = [];
    const mute: ClusterSource = {
      name: 'mute',
      discover() {
        readAt.push(here.clock.now());
        return Promise.resolve({ candidates: [], problems: [] });
      },
      changed: () => Promise.reject(new Error('no connection')),
    };
    here.start([mute]);
    await here.until(() => readAt.length === 3);
    expect(readAt.map((at) => at - (readAt[0] ?? 0))).toEqual([0, 30_000, 60_000]);
    here.stop.abort();
  });

  test('is complete without any cluster', async () => {
    const empty = world();
    empty.start([fixed('one', [])]);
    expect(await empty.until(({ complete }) => complete)).toMatchObject({ infos: [], reached: [] });
    empty.stop.abort();
  });
});

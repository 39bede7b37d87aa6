// The fleet: clusters that join, leave, return, and never answer.
import { describe, expect, test } from 'vitest';
import { runBridge } from '../../../lib/bridge/bridge.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import type { ClusterCandidate, ClusterSource } from '../../../lib/ports/cluster-source.ts';
import type { ResourceDiscovery } from '../../../lib/ports/resource-discovery.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import {
  changesOf,
  memorySink,
  type ScriptedCluster,
  type ScriptedRun,
  scriptedCluster,
  scriptedRun,
} from '../../support/scripted-bridge.ts';
import { createScriptedClock, idle, settle } from '../../support/scripted-clock.ts';

function world() {
  const clock = createScriptedClock();
  const store = createMemoryStore(clock, { isAlive: () => false });
  const sink = memorySink();
  const clusters = new Map<string, ScriptedCluster>();
  const unreachable = new Set<string>();
  const hanging = new Set<string>();
  let candidates: readonly ClusterCandidate[] = [];
  const source: ClusterSource = { name: 'test', discover: () => Promise.resolve({ candidates, problems: [] }) };
  const nameOf = (api: object): string => [...clusters].find(([, { api: own }]) => own === api)?.[0] ?? '?';
  const discovery: ResourceDiscovery = {
    identify(api, signal) {
      const name = nameOf(api);
      if (hanging.has(name)) {
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
      }
      if (unreachable.has(name))
        return Promise.reject(new Mk8sError(`${name} is off.`, { code: 'unreachable', retryable: true }));
      return Promise.resolve({ id: `id-${name}`, version: 'v1' });
    },
    resources: (_, { previous }) =>
      Promise.resolve(
        previous ?? {
          resources: [
            {
              group: 'example.com',
              version: 'v1',
              plural: 'widgets',
              kind: 'Widget',
              namespaced: false,
              verbs: ['list', 'watch'],
              custom: true,
            },
          ],
          failed: [],
        },
      ),
    isGone: () => Promise.resolve(false),
  };
  const stop = new AbortController();
  return {
    clock,
    sink,
    stop,
    unreachable,
    hanging,
    cluster(name: string): ScriptedCluster {
      const made = scriptedCluster();
      clusters.set(name, made);
      return made;
    },
    name(...names: string[]) {
      candidates = names.map((name) => ({
        name,
        source: 'test',
        server: `https://${name}`,
        namespace: 'default',
        isDefault: false,
        fingerprint: '',
        connect: () => clusters.get(name)?.api ?? scriptedCluster().api,
      }));
    },
    run(more: Partial<ScriptedRun> = {}) {
      const done = runBridge({
        ...scriptedRun(store, clock, { sink, ...more }),
        sources: [source],
        discovery,
        wanted: { resources: [], excludeResources: [], namespaces: [], shard: { index: 0, count: 1 } },
        refreshMs: 30_000,
        stop: stop.signal,
        onInventory: () => undefined,
      });
      done.catch(() => undefined);
      return done;
    },
    async until(what: string, holds: () => boolean): Promise<void> {
      for (let turn = 0; turn < 3_000; turn += 1) {
        await idle();
        if (holds()) return;
        clock.jump();
      }
      throw new Error(`it never came about that ${what}: ${changesOf(sink.published).join(', ')}`);
    },
    published: () => sink.published.map(({ stream, type, name }) => `${stream.cluster} ${type} ${name}`),
  };
}

describe('the bridge', () => {
  test('promise 8: a cluster that never answers delays nobody', async () => {
    const here = world();
    here.cluster('dead');
    here.cluster('live').set('a', 1);
    here.hanging.add('dead');
    here.name('dead', 'live');
    const startedAt = here.clock.now();
    const done = here.run();
    await here.until('the other is published', () => here.published().includes('id-live add a'));
    expect(here.clock.now()).toBe(startedAt);
    here.stop.abort(new Error('stop'));
    expect(await settle(done, here.clock)).toMatchObject({ reached: 1, outcomes: [{ end: 'stopped' }] });
  });

  test('a cluster that leaves is stopped, and followed again from where it stood when it returns', async () => {
    const here = world();
    const one = here.cluster('one');
    one.set('a', 1);
    here.name('one');
    const done = here.run();
    await here.until('a is published', () => here.published().includes('id-one add a'));
    here.name();
    await here.until('its connections are closed', () => one.api.closed());
    one.set('b', 1);
    await idle();
    expect(here.published()).toEqual(['id-one add a']);
    here.name('one');
    await here.until('b is published', () => here.published().includes('id-one add b'));
    here.stop.abort(new Error('stop'));
    await settle(done, here.clock);
    expect(here.published()).toEqual(['id-one add a', 'id-one add b']);
  });

  test('a process that stood still connects everything anew, says so, and goes on where it was', async () => {
    const here = world();
    const one = here.cluster('one');
    one.set('a', 1);
    here.name('one');
    const said: string[] = [];
    const done = here.run({ report: ({ message }) => said.push(message) });
    await here.until('a is published', () => here.published().includes('id-one add a'));
    const before = one.api.requests.filter(({ query }) => query?.watch === true).length;
    here.clock.set(60_000);
    await here.until('it is said', () => said.some((message) => message.includes('stood still for 60 s')));
    one.set('b', 1);
    await here.until('b is published', () => here.published().includes('id-one add b'));
    expect(one.api.requests.filter(({ query }) => query?.watch === true).length).toBeGreaterThan(before);
    here.stop.abort(new Error('stop'));
    await settle(done, here.clock);
    expect(here.published()).toEqual(['id-one add a', 'id-one add b']);
  });

  test('a cluster that joins is followed without a restart', async () => {
    const here = world();
    here.cluster('one').set('a', 1);
    here.cluster('two').set('b', 1);
    here.name('one');
    const done = here.run();
    await here.until('a is published', () => here.published().includes('id-one add a'));
    here.name('one', 'two');
    await here.until('b is published', () => here.published().includes('id-two add b'));
    here.stop.abort(new Error('stop'));
    await settle(done, here.clock);
  });

  test('catch-up ends when every cluster that can be reached is current, and names the others', async () => {
    const here = world();
    here.cluster('one').set('a', 1);
    here.cluster('two').set('b', 1);
    here.cluster('off');
    here.unreachable.add('off');
    here.name('one', 'two', 'off');
    const result = await settle(here.run({ mode: 'catch-up' }), here.clock);
    expect(result.outcomes.map(({ end }) => end)).toEqual(['caught-up', 'caught-up']);
    expect(result.unreached).toMatchObject([{ name: 'off', error: 'off is off.' }]);
    expect(here.published().toSorted()).toEqual(['id-one add a', 'id-two add b']);
  });

  test('says why, for each cluster, where none can be reached', async () => {
    const here = world();
    for (const name of ['one', 'two']) {
      here.cluster(name);
      here.unreachable.add(name);
    }
    here.name('one', 'two');
    await expect(settle(here.run(), here.clock)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/one \(https:\/\/one\): one is off; two \(https:\/\/two\): two is off/),
    });
  });

  test('after stop, a sink that does not take what is left is given up in time; the next run replays it', async () => {
    const here = world();
    here.cluster('one').set('a', 1);
    here.name('one');
    here.sink.before = () => new Promise<never>(() => {});
    const stuck = (_: unknown, signal: AbortSignal): Promise<never> =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    here.sink.before = stuck;
    const done = here.run();
    for (let turn = 0; turn < 50; turn += 1) await idle();
    const stoppedAt = here.clock.now();
    here.stop.abort(new Error('stop'));
    await settle(done, here.clock);
    expect(here.clock.now() - stoppedAt).toBeLessThanOrEqual(8_000);
    expect(here.published()).toEqual([]);
  });
});

// What the simulated cluster sends looks like what real API servers sent, byte for byte where nothing random is in it.
import { describe, expect, test } from 'vitest';
import type { ApiRequest, ApiServer } from '../../../lib/ports/api-server.ts';
import { createDice } from '../../simulation/random.ts';
import { createScheduler, type Scheduler } from '../../simulation/scheduler.ts';
import { createSimCluster, type SimCluster } from '../../simulation/server/cluster.ts';
import { noFaults, type ServerFaultRates } from '../../simulation/server/fault-rates.ts';
import type { SimResource } from '../../simulation/server/sim-object.ts';
import { recordedExchange, recordings } from '../../support/recordings.ts';

const widgets: SimResource = {
  group: 'example.com',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
  versions: ['v1', 'v1beta1'],
  origin: 'custom',
};
const namespaces: SimResource = {
  ...widgets,
  group: '',
  plural: 'namespaces',
  kind: 'Namespace',
  versions: ['v1'],
  namespaced: false,
  origin: 'built-in',
};
const path = '/apis/example.com/v1/widgets';

interface World {
  readonly cluster: SimCluster;
  readonly scheduler: Scheduler;
  readonly api: ApiServer;
}

function world(rates: Partial<ServerFaultRates> = {}, seed = 3): World {
  const dice = createDice(seed);
  const scheduler = createScheduler();
  const cluster = createSimCluster({
    name: 'a',
    clock: scheduler.clock(),
    dice,
    rates: { ...noFaults, ...rates },
    resources: [widgets, namespaces],
    objects: 30,
  });
  return { cluster, scheduler, api: cluster.connect({ address: 'https://a', dice: dice.fork('peer') }) };
}

interface Received {
  readonly status: number;
  readonly type: string | undefined;
  readonly text: string;
}

/** The answer, as far as it comes within `ms`. */
async function ask({ api, scheduler }: World, request: ApiRequest, ms = 20_000): Promise<Received> {
  let received: Received = { status: 0, type: undefined, text: '' };
  const over = new AbortController();
  const bytes: Uint8Array[] = [];
  const reading = (async () => {
    const response = await api.request({ ...request, signal: over.signal });
    received = { status: response.status, type: response.headers['content-type'], text: '' };
    for await (const chunks of response.body) bytes.push(...chunks);
  })().catch((error: unknown) => {
    if (!over.signal.aborted) throw error;
  });
  await scheduler.run(scheduler.now() + ms, () => false);
  over.abort(new Error('enough'));
  await reading;
  return { ...received, text: Buffer.concat(bytes).toString() };
}

function recorded(name: string): Received {
  const { status, headers, body } = recordedExchange(name).response;
  return { status, type: headers['content-type'], text: body.toString() };
}

/** Numbers, names and tokens are not the same. */
function same(text: string): string {
  return text
    .replaceAll(/"[A-Za-z0-9+/_-]{40,}=*"/g, '"TOKEN"')
    .replaceAll(/\d+/g, 'N')
    .replaceAll(/"(?:resourceVersion|remainingItemCount)":"?N"?/g, 'RV');
}

/** The keys of an object's frame in their order, without those that only some objects have. */
function keysOf(text: string): readonly string[] {
  const object = JSON.parse(text) as { metadata: Record<string, unknown> };
  const sometimes = new Set([
    'labels',
    'annotations',
    'managedFields',
    'status',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'finalizers',
    'remainingItemCount',
    'spec',
    'data',
    'type',
    'generation',
  ]);
  return [...Object.keys(object), '|', ...Object.keys(object.metadata)].filter((key) => !sometimes.has(key));
}

const lines = (text: string): readonly string[] => text.trimEnd().split('\n');
const objectOf = (line: string): string => line.slice(line.indexOf('"object":') + 9, -1);
const only = (area: 'watch' | 'list' | 'http', fault: string): Partial<ServerFaultRates> => ({
  [area]: { ...noFaults[area], [fault]: 1 },
});
const streaming = {
  watch: true,
  sendInitialEvents: true,
  resourceVersionMatch: 'NotOlderThan',
  allowWatchBookmarks: true,
  timeoutSeconds: 90,
};

describe.skipIf(recordings === undefined)('a simulated API server answers like recorded ones', () => {
  test('a list of custom resources has its metadata last, and sorted keys', async () => {
    const page = await ask(world(), { path, query: { limit: 2 } });
    const real = recorded('v1.36.2/20-list/page-1');
    expect(keysOf(page.text)).toEqual(keysOf(real.text));
    expect(keysOf(JSON.stringify(JSON.parse(page.text).items[0]))).toEqual(
      keysOf(JSON.stringify(JSON.parse(real.text).items[0])),
    );
    expect(page.text.slice(-80)).toMatch(/"remainingItemCount":\d+,"resourceVersion":"\d+"\}\}\n$/);
    expect(page.type).toBe(real.type);
    const all = await ask(world({}, 5), { path });
    expect(all.text.endsWith(same('"}}\n'))).toBe(true);
    expect(same(all.text).slice(-50)).toBe(same(recorded('v1.36.2/20-list/page-3-last').text).slice(-50));
  });

  test('a list of built-in resources has its metadata first, and items that do not say what they are', async () => {
    const page = await ask(world(), { path: '/api/v1/namespaces' });
    const real = recorded('v1.36.2/20-list/core-namespaces-items-without-kind');
    expect(keysOf(page.text)).toEqual(keysOf(real.text));
    expect(keysOf(JSON.stringify(JSON.parse(page.text).items[0]))).toEqual(
      keysOf(JSON.stringify(JSON.parse(real.text).items[0])),
    );
  });

  test('a continue token holds what a real one holds', async () => {
    const token = (text: string): string =>
      Buffer.from(JSON.parse(text).metadata.continue as string, 'base64').toString();
    const page = await ask(world(), { path, query: { limit: 2 } });
    expect(Object.keys(JSON.parse(token(page.text)) as object)).toEqual(
      Object.keys(JSON.parse(token(recorded('v1.36.2/20-list/page-1').text)) as object),
    );
    expect(token(page.text)).toMatch(/\\u0000"\}$/);
  });

  test('a streaming list sends objects in key order, then the mark', async () => {
    const real = lines(recorded('v1.36.2/50-watch/watchlist-cluster').text);
    const ours = lines((await ask(world(), { path, query: streaming })).text);
    expect(keysOf(objectOf(ours[0] ?? ''))).toEqual(keysOf(objectOf(real[0] ?? '')));
    const mark = (all: readonly string[]): string =>
      same(all.find((line) => line.includes('initial-events-end')) ?? 'none');
    expect(mark(ours)).toBe(mark(real));
    expect(ours.at(-1)).toContain('initial-events-end');
  });

  test('a bookmark comes about 2 s before timeoutSeconds, and the end is clean', async () => {
    const state = world();
    const rv = Number(state.cluster.truth.resourceVersion);
    for (let step = 0; step < 3; step += 1) state.cluster.step();
    const text = (
      await ask(state, {
        path,
        query: { watch: true, resourceVersion: rv, allowWatchBookmarks: true, timeoutSeconds: 15 },
      })
    ).text;
    const real = lines(recorded('v1.36.2/50-watch/watch-from-rv-65s-bookmarks').text);
    expect(same(lines(text).at(-1) ?? '')).toBe(same(real.at(-1) ?? 'none'));
  });

  test.each([
    ['v1.36.2/30-error/404-resource', '/apis/example.com/v1/gizmos', {}],
    ['v1.36.2/30-error/404-version', '/apis/example.com/v3/widgets', {}],
    ['v1.36.2/10-discovery/unknown-group-404', '/apis/nope.example.org/v1', {}],
  ])('%s', async (name, asked, query) => {
    expect(await ask(world(), { path: asked, query })).toEqual(recorded(name));
  });

  test('an unknown definition is a Status that names it', async () => {
    const { status, text } = await ask(world(), {
      path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/nope',
    });
    const real = recorded('v1.36.2/30-error/404-object');
    expect(status).toBe(real.status);
    expect(keysOf(text)).toEqual(keysOf(real.text));
    expect(JSON.parse(text)).toMatchObject({
      reason: 'NotFound',
      details: { name: 'nope', group: 'apiextensions.k8s.io', kind: 'customresourcedefinitions' },
    });
  });

  test('a watch from too long ago is one ERROR line and a clean end', async () => {
    const answer = await ask(world(only('watch', 'goneEvent')), { path, query: { watch: true, resourceVersion: 1 } });
    const real = recorded('v1.36.2/25-expired/watch-410-after-restart');
    expect([answer.status, same(answer.text)]).toEqual([real.status, same(real.text)]);
  });

  test('an expired continue token is answered with a fresh one', async () => {
    const state = world(only('list', 'continueExpired'));
    const first = JSON.parse((await ask(state, { path, query: { limit: 2 } })).text) as {
      metadata: { continue: string };
    };
    const answer = await ask(state, { path, query: { limit: 2, continue: first.metadata.continue } });
    const real = recorded('v1.36.2/25-expired/page-2-410-with-fresh-continue');
    expect([answer.status, same(answer.text)]).toEqual([real.status, same(real.text)]);
  });

  test('a list from the future is 504 with Retry-After', async () => {
    const answer = await ask(world(), { path, query: { resourceVersion: 999_999_999 } });
    const real = recorded('v1.36.2/30-error/504-list-future-rv');
    expect([answer.status, same(answer.text)]).toEqual([real.status, same(real.text)]);
  });

  test('a watch from the future is silent, bookmarks included', async () => {
    const query = { watch: true, resourceVersion: 999_999, allowWatchBookmarks: true, timeoutSeconds: 65 };
    const answer = await ask(world(), { path, query }, 70_000);
    expect(answer).toEqual({ status: 200, type: 'application/json', text: '' });
  });

  test('streaming lists that are refused are refused in the words of either version', async () => {
    const texts = new Set<string>();
    for (let seed = 0; texts.size < 2 && seed < 20; seed += 1) {
      const answer = await ask(world(only('watch', 'streamingRefused'), seed), { path, query: streaming });
      expect(answer.status).toBe(422);
      texts.add(answer.text);
    }
    const { text } = recorded('v1.36.2/55-watchlist-off/watchlist-422');
    expect(texts).toContain(text);
    expect([...texts].find((other) => other !== text)).toContain('"field":"resourceVersionMatch"');
  });

  test('discovery lists resources as in both forms', async () => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
    const group = (text: string): unknown =>
      (
        JSON.parse(text) as {
          items: { metadata: { name?: string }; versions: { version: string; freshness: string }[] }[];
        }
      ).items
        .filter(({ metadata }) => metadata.name === 'example.com')
        .flatMap(({ versions }) => versions.map(({ version, freshness }) => [version, freshness]));
    const ours = await ask(world(), { path: '/apis', headers: { accept } });
    expect(group(ours.text)).toEqual(group(recorded('v1.36.2/10-discovery/apis-aggregated').text));
    expect(ours.type).toBe(recorded('v1.36.2/10-discovery/apis-aggregated').type);
    const legacy = await ask(world(), { path: '/apis/example.com/v1', headers: { accept: 'application/json' } });
    const names = (text: string): unknown =>
      (JSON.parse(text) as { resources: { name: string; kind: string; namespaced: boolean }[] }).resources.map(
        ({ name, kind, namespaced }) => [name, kind, namespaced],
      );
    expect(names(legacy.text)).toEqual(names(recorded('v1.20.2/apis-example-v1').text));
  });
});

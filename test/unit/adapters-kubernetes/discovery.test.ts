import { describe, expect, test } from 'vitest';
import { discoverResources } from '../../../lib/adapters/kubernetes/discovery.ts';
import { isCustomByGroup } from '../../../lib/adapters/kubernetes/discovery-custom.ts';
import { kubernetesDiscovery } from '../../../lib/adapters/kubernetes/discovery-port.ts';
import type { ResourceInfo } from '../../../lib/model/resource.ts';
import { formatGroupResource } from '../../../lib/model/resource.ts';
import type { ApiRequest } from '../../../lib/ports/api-server.ts';
import {
  type FakeAnswer,
  fakeApiServer,
  jsonAnswer,
  recordedAnswer,
  statusAnswer,
} from '../../support/fake-api-server.ts';
import { failure } from '../../support/fake-client.ts';
import { recordedExchange, recordings } from '../../support/recordings.ts';

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const forbidden = statusAnswer(403, 'Forbidden', 'customresourcedefinitions is forbidden');

function crdList(...names: string[]): FakeAnswer {
  const items = names.map((name) => ({
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { name },
  }));
  return jsonAnswer({
    kind: 'PartialObjectMetadataList',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: '1' },
    items,
  });
}

interface Served {
  readonly version: string;
  readonly plurals: readonly string[];
  readonly freshness?: 'Stale';
}

function aggregated(groups: Record<string, readonly Served[]>, etag = '"1"'): FakeAnswer {
  const items = Object.entries(groups).map(([name, versions]) => ({
    metadata: name === '' ? {} : { name },
    versions: versions.map(({ version, plurals, freshness = 'Current' }) => ({
      version,
      freshness,
      resources: plurals.map((resource) => ({
        resource,
        responseKind: { group: '', version: '', kind: `Kind-${resource}` },
        scope: 'Namespaced',
        verbs: ['list', 'watch'],
        subresources: [{ subresource: 'status', responseKind: { kind: 'x' }, verbs: ['get'] }],
      })),
    })),
  }));
  return jsonAnswer({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', items }, 200, { etag });
}

function server(answers: Record<string, FakeAnswer | ((request: ApiRequest) => FakeAnswer)>) {
  return fakeApiServer((request) => {
    const answer = answers[request.path] ?? { status: 404, body: '404 page not found\n' };
    return typeof answer === 'function' ? answer(request) : answer;
  });
}

function short(resources: readonly ResourceInfo[]): string[] {
  return resources.map((each) => `${formatGroupResource(each)} ${each.version}${each.custom ? ' custom' : ''}`);
}

describe.skipIf(!recordings)('discovery of a recorded 1.36', () => {
  const answers = {
    '/api': recordings ? recordedAnswer('v1.36.2/10-discovery/api-aggregated') : {},
    '/apis': recordings ? recordedAnswer('v1.36.2/10-discovery/apis-aggregated') : {},
    [crds]: crdList(
      'widgets.example.com',
      'gatewayclasses.gateway.networking.k8s.io',
      'gateways.gateway.networking.k8s.io',
      'httproutes.gateway.networking.k8s.io',
    ),
  };

  test('takes two requests and the names of the CRDs', async () => {
    const api = server(answers);
    const { resources, failed, etag } = await discoverResources(api);
    expect(api.requests.map(({ path }) => path)).toEqual(['/apis', '/api', crds]);
    expect(failed).toEqual([]);
    expect(etag).toBe(recordedExchange('v1.36.2/10-discovery/apis-aggregated').response.headers['etag']);
    const list = short(resources);
    expect(list).toEqual(
      expect.arrayContaining(['widgets.example.com v1 custom', 'deployments.apps v1', 'secrets v1']),
    );
    expect(list).toContain('gateways.gateway.networking.k8s.io v1 custom');
    expect(new Set(resources.map(formatGroupResource)).size).toBe(resources.length);
    expect(list.filter((each) => each.includes('/'))).toEqual([]);
    const find = (plural: string) => resources.find((each) => each.plural === plural);
    expect(find('widgets')).toMatchObject({ kind: 'Widget', namespaced: true });
    expect(find('widgets')?.verbs).toEqual(expect.arrayContaining(['list', 'watch']));
    expect(find('gatewayclasses')).toMatchObject({ namespaced: false });
  });

  test('says that nothing changed, for one request with the etag', async () => {
    const recorded = 'v1.36.2/10-discovery/apis-aggregated-etag-304';
    const api = server({ '/apis': recordedAnswer(recorded) });
    const etag = recordedExchange(recorded).request.headers['if-none-match'] ?? '';
    expect(await discoverResources(api, { etag })).toEqual({ resources: [], failed: [], notModified: true, etag });
    expect(api.requests).toHaveLength(1);
    expect(api.requests[0]?.headers?.['if-none-match']).toBe(etag);
    expect(api.open()).toBe(0);
  });
});

describe.skipIf(!recordings)('discovery of a recorded 1.20', () => {
  const old = (path: string): FakeAnswer => {
    if (path === '/apis/example.com/v1') return recordedAnswer('v1.20.2/apis-example-v1');
    if (path === '/api/v1')
      return jsonAnswer({ resources: [{ name: 'secrets', kind: 'Secret', namespaced: true, verbs: ['list'] }] });
    if (path === crds) return crdList('widgets.example.com');
    if (path === '/apis/policy/v1beta1') return statusAnswer(503, 'ServiceUnavailable', 'not now');
    return jsonAnswer({ resources: [] });
  };

  test.each([
    ['answers the older kind', (): FakeAnswer => recordedAnswer('v1.20.2/apis-aggregated-with-fallback')],
    [
      'refuses with 406',
      ({ headers }: ApiRequest): FakeAnswer =>
        recordedAnswer(
          headers?.['accept'] === 'application/json' ? 'v1.20.2/apis-legacy' : 'v1.20.2/apis-aggregated-only-406',
        ),
    ],
  ])('that %s reads each group version, and names the one that failed', async (_, apis) => {
    const api = fakeApiServer((request) => {
      if (request.path === '/apis') return apis(request);
      return request.path === '/api' ? recordedAnswer('v1.20.2/api-legacy') : old(request.path);
    });
    const { resources, failed, etag } = await discoverResources(api, { name: 'a' });
    expect(short(resources)).toEqual(['secrets v1', 'widgets.example.com v1 custom']);
    expect(failed).toHaveLength(1);
    expect(failed[0]?.groupVersion).toBe('policy/v1beta1');
    expect(failed[0]?.message).toContain('in cluster "a": not now (503 ServiceUnavailable)');
    expect(etag).toBeUndefined();
    const read = api.requests.map(({ path }) => path).filter((path) => path.split('/').length === 4 && path !== crds);
    expect(new Set(read).size).toBe(read.length);
    expect(read.length).toBeGreaterThan(20);
  });
});

describe('discovery', () => {
  test('gives no etag while a CRD that is served is not listed: it may be made anew at this moment', async () => {
    const apis = aggregated({ 'example.com': [{ version: 'v1', plurals: ['widgets'] }] });
    const answers = { '/apis': apis, '/api': aggregated({}), [crds]: crdList() };
    const found = await discoverResources(server(answers));
    expect(found.resources).toMatchObject([{ plural: 'widgets', custom: false }]);
    expect(found.etag).toBeUndefined();
    const made = await discoverResources(server({ ...answers, [crds]: crdList('widgets.example.com') }));
    expect(made).toMatchObject({ resources: [{ custom: true }], etag: '"1"' });
  });

  test('takes each resource in the first version that has it', async () => {
    const apis = aggregated({
      'example.com': [
        { version: 'v2', plurals: ['a'] },
        { version: 'v1', plurals: ['a', 'b'] },
      ],
    });
    const { resources } = await discoverResources(
      server({ '/apis': apis, '/api': aggregated({}), [crds]: crdList('a.example.com') }),
    );
    expect(short(resources)).toEqual(['a.example.com v2 custom', 'b.example.com v1']);
  });

  test('names a stale group as failed, and gives no etag, so that it is asked again', async () => {
    const apis = aggregated({
      'metrics.k8s.io': [{ version: 'v1beta1', plurals: [], freshness: 'Stale' }],
      apps: [{ version: 'v1', plurals: ['deployments'] }],
    });
    const found = await discoverResources(server({ '/apis': apis, '/api': aggregated({}), [crds]: crdList() }));
    expect(short(found.resources)).toEqual(['deployments.apps v1']);
    expect(found.failed).toEqual([
      {
        groupVersion: 'metrics.k8s.io/v1beta1',
        message: 'the API server behind this group does not answer (discovery says Stale)',
      },
    ]);
    expect(found.etag).toBeUndefined();
  });

  test.each(['../../other', 'a/b', 'a?watch=1', 'a b', 'a\n', '-a'])(
    'names the group of a resource that is called %j as failed: names become parts of URLs',
    async (plural) => {
      const apis = aggregated({ 'example.com': [{ version: 'v1', plurals: [plural, 'widgets'] }] });
      const found = await discoverResources(server({ '/apis': apis, '/api': aggregated({}), [crds]: crdList() }));
      expect(short(found.resources)).toEqual(['widgets.example.com v1']);
      expect(found.failed).toMatchObject([{ groupVersion: 'example.com/v1' }]);
    },
  );

  test('leaves out what has no kind, in the older form too', async () => {
    const found = await discoverResources(
      server({
        '/api': jsonAnswer({ kind: 'APIVersions', versions: ['v1'] }),
        '/api/v1': jsonAnswer({
          resources: [
            { name: 'a', kind: '', verbs: ['list'] },
            { name: 'b', kind: 'B', verbs: ['list'] },
          ],
        }),
        '/apis': jsonAnswer({ kind: 'APIGroupList', groups: [] }),
        [crds]: crdList(),
      }),
    );
    expect(short(found.resources)).toEqual(['b v1']);
  });

  test('without the core group still has the others', async () => {
    const apis = aggregated({ 'example.com': [{ version: 'v1', plurals: ['a'] }] });
    const found = await discoverResources(
      server({ '/apis': apis, '/api': forbidden, [crds]: crdList('a.example.com') }),
    );
    expect(short(found.resources)).toEqual(['a.example.com v1 custom']);
    expect(found.failed).toMatchObject([{ groupVersion: 'v1' }]);
  });

  test('throws where /apis cannot be read, or is no Kubernetes answer', async () => {
    expect(await failure(discoverResources(server({ '/apis': forbidden }), { name: 'a' }))).toMatchObject({
      status: 403,
    });
    expect(await failure(discoverResources(server({ '/apis': jsonAnswer({}) })))).toMatchObject({ code: 'protocol' });
  });

  test('that may not list CRDs goes by the name of the group', async () => {
    const version = { version: 'v1', plurals: ['x'] };
    const apis = aggregated({
      apps: [version],
      'networking.k8s.io': [version],
      'gateway.networking.k8s.io': [version],
      'cert-manager.io': [version],
    });
    const { resources } = await discoverResources(
      server({ '/apis': apis, '/api': aggregated({ '': [version] }), [crds]: forbidden }),
    );
    expect(short(resources)).toEqual([
      'x v1',
      'x.apps v1',
      'x.networking.k8s.io v1',
      'x.gateway.networking.k8s.io v1 custom',
      'x.cert-manager.io v1 custom',
    ]);
  });

  test('does not guess where the list of CRDs fails for a moment', async () => {
    const answers = {
      '/apis': aggregated({}),
      '/api': aggregated({}),
      [crds]: statusAnswer(503, 'ServiceUnavailable', 'not now'),
    };
    expect(await failure(discoverResources(server(answers)))).toMatchObject({ status: 503, retryable: true });
  });

  test('as the port has it answers the previous one where nothing changed, with an etag or without', async () => {
    const signal = new AbortController().signal;
    const version = { version: 'v1', plurals: ['a'] };
    let apis = aggregated({ 'example.com': [version] });
    const api = fakeApiServer(({ path, headers }) => {
      if (path === '/api') return aggregated({});
      if (path === crds) return crdList('a.example.com');
      return headers?.['if-none-match'] === '"1"' ? { status: 304 } : apis;
    });
    const previous = await kubernetesDiscovery.resources(api, { signal });
    expect(await kubernetesDiscovery.resources(api, { signal, previous })).toBe(previous);
    const { etag: _, ...legacy } = previous;
    apis = { ...apis, headers: {} };
    expect(await kubernetesDiscovery.resources(api, { signal, previous: legacy })).toBe(legacy);
    apis = { ...aggregated({ 'example.com': [version], 'b.org': [version] }), headers: {} };
    expect((await kubernetesDiscovery.resources(api, { signal, previous: legacy })).resources).toHaveLength(2);
  });
});

test('promise 1: a core resource is never gone for want of a CRD, whatever discovery shows', async () => {
  const api = fakeApiServer(() => statusAnswer(404, 'NotFound', 'not found', { details: { name: 'secrets' } }));
  const { signal } = new AbortController();
  expect(await kubernetesDiscovery.isGone(api, { group: '', plural: 'secrets' }, signal)).toBe(false);
});

describe('a group', () => {
  test.each(['', 'apps', 'batch', 'extensions', 'rbac.authorization.k8s.io', 'apiextensions.k8s.io', 'metrics.k8s.io'])(
    'of Kubernetes itself is not custom: "%s"',
    (group) => expect(isCustomByGroup({ group, plural: 'x' })).toBe(false),
  );

  test.each(['gateway.networking.k8s.io', 'multicluster.x-k8s.io', 'snapshot.storage.k8s.io', 'networking.istio.io'])(
    'of others is custom, also under k8s.io: "%s"',
    (group) => expect(isCustomByGroup({ group, plural: 'x' })).toBe(true),
  );

  test.skipIf(!recordings)('of a recorded server is custom only where a CRD was installed', () => {
    const body = JSON.parse(recordedExchange('v1.36.2/10-discovery/apis-legacy').response.body.toString()) as {
      groups: { name: string }[];
    };
    const custom = body.groups.map(({ name }) => name).filter((group) => isCustomByGroup({ group, plural: 'x' }));
    expect(custom.toSorted()).toEqual(['example.com', 'gateway.networking.k8s.io']);
  });
});

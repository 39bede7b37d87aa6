import { describe, expect, test } from 'vitest';
import {
  parseResourceName,
  ResourceCatalog,
  type ResourceName,
} from '../../../lib/adapters/kubernetes/client-resource.ts';
import {
  type FakeAnswer,
  type FakeApiServer,
  fakeApiServer,
  jsonAnswer,
  statusAnswer,
} from '../../support/fake-api-server.ts';
import { failure } from '../../support/fake-client.ts';

const notFound: FakeAnswer = { status: 404, headers: { 'content-type': 'text/plain' }, body: '404 page not found\n' };

/** A server of group example.com; `versions` maps each to its plurals, the first is preferred. */
function serving(versions: () => Record<string, readonly string[]>): FakeApiServer {
  return fakeApiServer(({ path }) => {
    if (path === '/apis/example.com') {
      const all = Object.keys(versions()).map((version) => ({ version }));
      return jsonAnswer({ kind: 'APIGroup', name: 'example.com', versions: all, preferredVersion: all[0] });
    }
    const plurals = path === '/api/v1' ? ['configmaps'] : versions()[path.replace('/apis/example.com/', '')];
    if (plurals === undefined) return notFound;
    const resources = plurals.map((name) => ({
      name,
      kind: `Kind-${name}`,
      namespaced: name !== 'classes',
      verbs: ['get'],
    }));
    return jsonAnswer({ kind: 'APIResourceList', resources });
  });
}

function catalog(api: FakeApiServer): (name: ResourceName, signal?: AbortSignal) => Promise<object> {
  const resources = new ResourceCatalog({ api, name: 'a' });
  return (name, signal) => resources.resolve(name, 'get it', signal);
}

describe('the name of a resource', () => {
  test.each([
    ['configmaps', { group: '', plural: 'configmaps' }],
    ['configmaps.v1', { group: '', plural: 'configmaps', version: 'v1' }],
    ['httproutes.gateway.networking.k8s.io', { group: 'gateway.networking.k8s.io', plural: 'httproutes' }],
    [
      'httproutes.v1beta1.gateway.networking.k8s.io',
      { group: 'gateway.networking.k8s.io', plural: 'httproutes', version: 'v1beta1' },
    ],
    ['things.vault.example.com', { group: 'vault.example.com', plural: 'things' }],
    ['things.v1x.example.com', { group: 'v1x.example.com', plural: 'things' }],
  ])('%s is taken apart', (name, parts) => {
    expect(parseResourceName(name)).toEqual(parts);
  });
});

describe('the version of a resource', () => {
  const versions = { v2: ['gadgets'], v1: ['gadgets', 'widgets', 'classes'] };

  test('is the preferred one that has it', async () => {
    const resolve = catalog(serving(() => versions));
    expect(await resolve('gadgets.example.com')).toMatchObject({ version: 'v2', namespaced: true });
    expect(await resolve('classes.example.com')).toMatchObject({ version: 'v1', namespaced: false });
    expect(await resolve('gadgets.v1.example.com')).toMatchObject({ version: 'v1' });
    expect(await resolve('configmaps')).toMatchObject({ group: '', version: 'v1' });
  });

  test('is asked once, also by many at the same time', async () => {
    const api = serving(() => versions);
    const resolve = catalog(api);
    await Promise.all([resolve('gadgets.example.com'), resolve('gadgets.example.com'), resolve('gadgets.example.com')]);
    await resolve('gadgets.example.com');
    expect(api.requests.map(({ path }) => path)).toEqual(['/apis/example.com', '/apis/example.com/v2']);
  });

  test('is not asked where the caller says all', async () => {
    const api = serving(() => versions);
    await catalog(api)({ group: 'example.com', plural: 'x', version: 'v9', namespaced: false });
    expect(api.requests).toEqual([]);
  });

  test('of a resource that was installed after the first question is found', async () => {
    let installed: Record<string, string[]> = { v1: ['gadgets'] };
    const resolve = catalog(serving(() => installed));
    await resolve('gadgets.example.com');
    installed = { v1: ['gadgets', 'widgets'] };
    expect(await resolve('widgets.example.com')).toMatchObject({ version: 'v1' });
  });

  test.each([
    [
      'group',
      'widgets.nowhere.org',
      'the server has no resource widgets.nowhere.org; is its CustomResourceDefinition installed?',
    ],
    ['plural', 'gizmos.example.com', 'the server has no resource gizmos.example.com; is its'],
    ['version', 'gadgets.v9.example.com', 'the server has no resource gadgets.example.com in version v9; is its'],
  ])('of an unknown %s is an error that says what is missing', async (_, name, message) => {
    const error = await failure(catalog(serving(() => versions))(name));
    expect(error).toMatchObject({ code: 'http', status: 404, reason: 'NotFound' });
    expect(error.message).toContain(`Cannot get it in cluster "a": ${message}`);
  });

  test('that could not be read is not remembered as missing', async () => {
    let down = true;
    const up = serving(() => versions);
    const api = fakeApiServer((request, count) => {
      if (down) return statusAnswer(503, 'ServiceUnavailable', 'not now');
      return count > 0 ? relay(up, request.path) : {};
    });
    const resolve = catalog(api);
    expect(await failure(resolve('gadgets.example.com'))).toMatchObject({ status: 503, retryable: true });
    down = false;
    expect(await resolve('gadgets.example.com')).toMatchObject({ version: 'v2' });
  });

  test('goes on being asked for the others where one caller aborts', async () => {
    const asked = Promise.withResolvers<FakeAnswer>();
    const api = fakeApiServer(() => asked.promise);
    const resolve = catalog(api);
    const controller = new AbortController();
    const aborted = resolve('configmaps', controller.signal);
    const other = resolve('configmaps');
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    asked.resolve(jsonAnswer({ resources: [{ name: 'configmaps', kind: 'ConfigMap', namespaced: true, verbs: [] }] }));
    expect(await other).toMatchObject({ version: 'v1' });
    expect(api.requests).toHaveLength(1);
  });
});

async function relay(api: FakeApiServer, path: string): Promise<FakeAnswer> {
  const { status, body } = await api.request({ path });
  const chunks: Uint8Array[] = [];
  for await (const part of body) chunks.push(...part);
  return { status, body: Buffer.concat(chunks) };
}

// The library on whole clusters, as its users have it: a kubeconfig, and `loadClusters` from lib/index.ts. Runs on the
// sandbox and on a real API server.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoreV1Api, CustomObjectsApi, KubernetesObjectApi } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, type Fleet, type KubernetesObject, loadClusters, type WatchEvent } from '../../lib/index.ts';
import type { ClusterClient, ClusterEndpoint } from '../support/cluster-client.ts';
import { createCrd, createNamespaces, type TestResource } from '../support/crd.ts';
import { drain, failure } from '../support/fake-client.ts';
import { kubeconfigText } from '../support/kubeconfig-file.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

export interface LibraryWorld extends AsyncDisposable {
  readonly endpoint: ClusterEndpoint;
  readonly client: ClusterClient;
  /** Forgets its history, so that a watch from before gets 410; watches that are open may end. */
  forget(): Promise<void>;
}

interface Widget extends KubernetesObject {
  spec?: { size?: number; note?: string };
}

const widgets: TestResource = {
  group: 'example.com',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
};
const name = 'widgets.example.com';

function widget(object: string, spec: Widget['spec'], labels?: Record<string, string>): Widget {
  const metadata = { name: object, namespace: 'team-a', ...(labels === undefined ? {} : { labels }) };
  return { apiVersion: 'example.com/v1', kind: 'Widget', metadata, spec: spec ?? {} };
}

function namesOf(objects: readonly KubernetesObject[]): Set<string | undefined> {
  return new Set(objects.map(({ metadata }) => metadata?.name));
}

function describeEvent(event: WatchEvent): string {
  return event.type === 'ADDED' || event.type === 'MODIFIED' || event.type === 'DELETED'
    ? `${event.type} ${event.object.metadata?.name}`
    : event.type;
}

export function describeLibrary(title: string, startWorld: () => Promise<LibraryWorld>): void {
  describe(title, () => {
    let world: LibraryWorld;
    let folder: TemporaryFolder;
    let fleet: Fleet;
    let cluster: Cluster;

    /** Loads a kubeconfig whose one context differs from the good one. */
    async function loadWith(context: string, change: Partial<ClusterEndpoint>): Promise<Fleet> {
      const path = join(folder.path, context);
      await writeFile(path, kubeconfigText({ [context]: { ...world.endpoint, ...change } }));
      return loadClusters({ kubeconfig: path });
    }

    beforeAll(async () => {
      world = await startWorld();
      folder = await temporaryFolder();
      await createCrd(world.client, widgets);
      await createNamespaces(world.client, ['team-a', 'team-b']);
      fleet = await loadWith('east', {});
      cluster = fleet.default;
    }, 120_000);
    afterAll(async () => {
      await fleet?.close();
      await folder?.[Symbol.asyncDispose]();
      await world?.[Symbol.asyncDispose]();
    });

    test('says who the cluster is, by what the cluster itself says', async () => {
      const { metadata } = await world.client.call('GET', '/api/v1/namespaces/kube-system');
      expect(cluster.name).toBe('east');
      expect(await cluster.identity()).toEqual({
        id: metadata.uid,
        version: expect.stringMatching(/^v1\.\d+/) as string,
      });
      expect(fleet.get(metadata.uid ?? '')).toBe(cluster);
    });

    test('discovers what is served, and which of it is custom', async () => {
      const { resources, failed, etag } = await cluster.discover();
      expect(failed).toEqual([]);
      expect(resources.find(({ plural }) => plural === 'widgets')).toMatchObject({
        group: 'example.com',
        version: 'v1',
        kind: 'Widget',
        namespaced: true,
        custom: true,
        verbs: expect.arrayContaining(['list', 'watch']) as string[],
      });
      expect(resources.find(({ plural }) => plural === 'namespaces')).toMatchObject({
        namespaced: false,
        custom: false,
      });
      if (etag !== undefined) expect(await cluster.discover({ etag })).toMatchObject({ notModified: true });
    });

    test('applies, reads, patches, replaces and deletes an object', async () => {
      const applied = await cluster.apply(widget('one', { size: 1, note: 'a\u2028b' }));
      expect(applied.metadata?.uid).toBeDefined();
      const read = await cluster.get<Widget>(name, 'one', { namespace: 'team-a' });
      expect(read.spec).toEqual({ size: 1, note: 'a\u2028b' });
      const patched = await cluster.patch<Widget>(name, 'one', { spec: { size: 2 } }, { namespace: 'team-a' });
      expect(patched.spec).toEqual({ size: 2, note: 'a\u2028b' });
      await cluster.replace({ ...patched, spec: { size: 3 } });
      expect(await failure(cluster.replace({ ...patched, spec: { size: 4 } }))).toMatchObject({
        status: 409,
        reason: 'Conflict',
      });
      const metadata = await cluster.get<Widget>(name, 'one', { namespace: 'team-a', metadataOnly: true });
      expect(metadata).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'one' } });
      expect(metadata.spec).toBeUndefined();
      const uid = 'somebody-else';
      expect(await failure(cluster.delete(name, 'one', { namespace: 'team-a', preconditions: { uid } }))).toMatchObject(
        { status: 409 },
      );
      expect(await cluster.delete(name, 'one', { namespace: 'team-a' })).toMatchObject({ gone: true });
      const missing = await failure(cluster.get(name, 'one', { namespace: 'team-a' }));
      expect(missing).toMatchObject({ status: 404, reason: 'NotFound' });
      expect(missing.message).toBe(
        'Cannot get widgets.example.com "team-a/one" in cluster "east": widgets.example.com "one" not found (404 NotFound)',
      );
    });

    test('meets the field of another manager with a conflict, and takes it over by force', async () => {
      await cluster.apply(widget('owned', { size: 1 }), { fieldManager: 'alice' });
      const conflict = await failure(cluster.apply(widget('owned', { size: 2 })));
      expect(conflict).toMatchObject({ status: 409, reason: 'Conflict' });
      expect(conflict.message).toMatch(
        /Apply failed with 1 conflict: conflict with "alice".*\.spec\.size \(409 Conflict\)$/,
      );
      expect((await cluster.apply(widget('owned', { size: 2 }), { force: true, dryRun: true })).spec).toEqual({
        size: 2,
      });
      expect((await cluster.get<Widget>(name, 'owned', { namespace: 'team-a' })).spec).toEqual({ size: 1 });
      expect((await cluster.apply(widget('owned', { size: 2 }), { force: true })).spec).toEqual({ size: 2 });
      await cluster.delete(name, 'owned', { namespace: 'team-a' });
    });

    test('says of an unknown resource that it is not installed, and finds it once it is', async () => {
      const gadget: TestResource = { ...widgets, group: 'later.example.com', plural: 'gadgets', kind: 'Gadget' };
      const error = await failure(drain(cluster.list('gadgets.later.example.com')));
      expect(error.message).toContain(
        'the server has no resource gadgets.later.example.com; is its CustomResourceDefinition installed?',
      );
      await createCrd(world.client, gadget);
      expect((await drain(cluster.list('gadgets.later.example.com'))).items).toEqual([]);
    });

    describe('with thirty objects', () => {
      beforeAll(async () => {
        for (let index = 0; index < 30; index += 1) {
          await cluster.apply(widget(`w-${index}`, { size: index }, { parity: index % 2 === 0 ? 'even' : 'odd' }));
        }
      });

      test('lists the same by stream, by pages, and by selectors, without managedFields', async () => {
        const whole = await drain(cluster.list(name));
        const pages = await drain(cluster.list(name, { streaming: false, pageSize: 7 }));
        expect(whole.items).toHaveLength(30);
        expect(pages.items).toHaveLength(30);
        expect(namesOf(pages.items)).toEqual(namesOf(whole.items));
        expect(pages.end.consistent).toBe(true);
        expect(whole.items[0]?.metadata).not.toHaveProperty('managedFields');
        const odd = await drain(cluster.list(name, { namespace: 'team-a', labelSelector: 'parity=odd', pageSize: 4 }));
        expect(odd.items).toHaveLength(15);
        const one = await drain(cluster.list<Widget>(name, { fieldSelector: 'metadata.name=w-7', metadataOnly: true }));
        expect(one.items).toMatchObject([{ metadata: { name: 'w-7' } }]);
        expect(one.items[0]?.spec).toBeUndefined();
        expect((await drain(cluster.list(name, { namespace: 'team-b' }))).items).toEqual([]);
      });

      test('lists built-in resources with their kind', async () => {
        const { items } = await drain(cluster.list('namespaces'));
        expect([...namesOf(items)]).toEqual(expect.arrayContaining(['team-a', 'team-b']));
        expect(items.every((item) => item.kind === 'Namespace' && item.apiVersion === 'v1')).toBe(true);
      });

      test('watches from the end of a list on, and misses nothing', async () => {
        const { end } = await drain(cluster.list(name, { namespace: 'team-a' }));
        await cluster.apply(widget('live', { size: 1 }));
        await cluster.apply(widget('live', { size: 2 }));
        await cluster.delete(name, 'live', { namespace: 'team-a' });
        const seen: string[] = [];
        for await (const event of cluster.watch(name, { namespace: 'team-a', resourceVersion: end.resourceVersion })) {
          seen.push(describeEvent(event));
          if (event.type === 'DELETED') break;
        }
        expect(seen).toEqual(['ADDED live', 'MODIFIED live', 'DELETED live']);
      });

      test('watches existing objects first, says when they are complete, and then what happens', async () => {
        const seen: string[] = [];
        for await (const event of cluster.watch<Widget>(name, { bookmarks: true, labelSelector: 'parity=even' })) {
          seen.push(describeEvent(event));
          if (event.type === 'BOOKMARK' && event.initialEventsEnd) {
            await cluster.patch(name, 'w-2', { metadata: { labels: { parity: 'odd' } } }, { namespace: 'team-a' });
          }
          if (event.type === 'DELETED') break;
        }
        expect(seen).toHaveLength(17);
        expect(seen.slice(15)).toEqual(['BOOKMARK', 'DELETED w-2']);
      });

      test('tells of the gap where the server has forgotten, and lists again where it is asked to', async () => {
        const { end } = await drain(cluster.list(name));
        for (let size = 100; size < 103; size += 1) await cluster.apply(widget('w-1', { size }, { parity: 'odd' }));
        await world.forget();
        const resourceVersion = end.resourceVersion;
        const error = await failure(drain(cluster.watch(name, { resourceVersion })));
        expect(error).toMatchObject({ status: 410, reason: 'Expired' });
        const seen: string[] = [];
        for await (const event of cluster.watch(name, { resourceVersion, onGap: 'relist' })) {
          seen.push(describeEvent(event));
          if (event.type === 'BOOKMARK') break;
        }
        expect(seen).toHaveLength(32);
        expect([seen[0], seen[31]]).toEqual(['RELIST', 'BOOKMARK']);
      });

      test('leaves loops early without losing the connection for others', async () => {
        for (let round = 0; round < 20; round += 1) {
          for await (const _ of cluster.list(name)) break;
          for await (const _ of cluster.watch(name)) break;
        }
        expect((await drain(cluster.list(name))).items).toHaveLength(30);
      });
    });

    test('gives a token of a service account, with which the cluster can be asked', async () => {
      await cluster.create({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'reader', namespace: 'team-a' },
      });
      const { token, expiresAt } = await cluster.createToken('team-a', 'reader', { expirationSeconds: 1200 });
      expect(expiresAt.getTime()).toBeGreaterThan(Date.now());
      await using limited = await loadWith('reader', { token });
      const denied = await failure(drain(limited.default.list(name)));
      expect(denied).toMatchObject({ code: 'http', status: 403, reason: 'Forbidden' });
      expect(denied.message).toContain('system:serviceaccount:team-a:reader');
      expect(
        (await limited.default.discover()).resources.some(({ plural, custom }) => plural === 'widgets' && custom),
      ).toBe(true);
      expect(await limited.default.identity()).toMatchObject({ id: expect.stringMatching(/^server:/) as string });
    });

    test('says which credential, certificate or address is wrong', async () => {
      await using refused = await loadWith('refused', { token: 'wrong' });
      expect(await failure(refused.default.get(name, 'x'))).toMatchObject({ code: 'credentials', status: 401 });
      await using untrusted = await loadWith('untrusted', { ca: '' });
      expect(await failure(untrusted.default.get(name, 'x'))).toMatchObject({ code: 'tls' });
      await using down = await loadWith('down', { url: 'https://127.0.0.1:1' });
      const error = await failure(down.default.get(name, 'x'));
      expect(error).toMatchObject({ code: 'unreachable', retryable: true });
      expect(error.message).toContain('in cluster "down": ');
      expect(error.message).toContain('ECONNREFUSED');
    });

    test('answers raw requests with whatever status', async () => {
      const response = await cluster.request({ path: '/version' });
      let text = '';
      for await (const chunks of response.body) for (const chunk of chunks) text += Buffer.from(chunk).toString();
      expect(JSON.parse(text)).toHaveProperty('gitVersion');
      const missing = await cluster.request({ path: '/nope' });
      for await (const _ of missing.body) break;
      expect(missing.status).toBe(404);
    });

    test('makes API clients of client-node over its own connections, and a KubeConfig', async () => {
      const core = cluster.makeApiClient(CoreV1Api);
      const { items } = await core.listNamespace();
      expect(items.map(({ metadata }) => metadata?.name)).toContain('team-a');
      await expect(core.readNamespacedConfigMap({ name: 'nope', namespace: 'team-a' })).rejects.toMatchObject({
        code: 404,
      });
      const custom = cluster.makeApiClient(CustomObjectsApi);
      const [group, version, plural] = ['example.com', 'v1', 'widgets'];
      const body = widget('by-client-node', { size: 1 });
      await custom.createNamespacedCustomObject({ group, version, plural, namespace: 'team-a', body });
      expect((await cluster.get<Widget>(name, 'by-client-node', { namespace: 'team-a' })).spec).toEqual({ size: 1 });
      const objects = cluster.makeApiClient(KubernetesObjectApi);
      const header = { name: 'by-client-node', namespace: 'team-a' };
      expect(await objects.read({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: header })).toMatchObject({
        spec: { size: 1 },
      });
      const config = cluster.kubeConfig;
      expect(config.getCurrentContext()).toBe('east');
      expect((await config.makeApiClient(CoreV1Api).readNamespace({ name: 'team-a' })).metadata?.name).toBe('team-a');
      await cluster.delete(name, 'by-client-node', { namespace: 'team-a' });
    });
  });
}

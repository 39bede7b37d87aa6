// What the other tests rely on when they run on a real API server: that it dies, returns, forgets and goes back in time
// as told, and that the workload and the comparison see the same objects.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listAll } from '../support/cluster-client.ts';
import { createCrd, createNamespaces, deleteCrd, objectPath, resourcePath, type TestResource } from '../support/crd.ts';
import { type KubeApiServer, kubeAssets, startKubeApiServer } from '../support/kube-apiserver.ts';
import { compareStates, serverState } from '../support/materialise.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { workload } from '../support/workload.ts';

const widgets: TestResource = {
  group: 'example.com',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
};

describe.skipIf(kubeAssets === undefined)('a real API server (KUBEBUILDER_ASSETS)', () => {
  let server: KubeApiServer;
  beforeAll(async () => {
    server = await startKubeApiServer();
    await createNamespaces(server.client, ['team-a', 'team-b']);
    await createCrd(server.client, widgets);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const widget = (name: string) => ({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name } });
  const currentVersion = async (): Promise<number> =>
    Number((await server.client.call('GET', resourcePath(widgets))).metadata.resourceVersion);

  test('a workload with the same seed leads to the same specs, and other seeds to others', async () => {
    const specs = async (seed: number): Promise<string> => {
      await server.client.call('DELETE', objectPath(widgets, 'team-a'));
      await server.client.call('DELETE', objectPath(widgets, 'team-b'));
      await workload(server.client, { seed, resources: [widgets] }).run(40);
      const objects = await listAll(server.client, resourcePath(widgets));
      return JSON.stringify(objects.map(({ metadata, spec }) => [metadata.namespace, metadata.name, spec]));
    };
    const first = await specs(1);
    expect(await specs(1)).toBe(first);
    expect(await specs(2)).not.toBe(first);
  });

  test('a watch from before a compaction and restart is told 410', async () => {
    const before = await currentVersion();
    await server.client.call('POST', objectPath(widgets, 'team-a'), widget('one'));
    await server.client.call('POST', objectPath(widgets, 'team-a'), widget('two'));
    await server.compact();
    await server.restart();
    const { text } = await server.client.request(
      'GET',
      `${resourcePath(widgets)}?watch=true&resourceVersion=${before}&timeoutSeconds=2`,
    );
    expect(JSON.parse(text)).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
  });

  test('a restored cluster keeps its identity and goes on from the older resourceVersion', async () => {
    await using folder = await temporaryFolder();
    const identity = () => server.client.call('GET', '/api/v1/namespaces/kube-system');
    const { uid } = (await identity()).metadata;
    await server.snapshot(join(folder.path, 'snapshot'));
    const before = serverState('c', 'widgets.example.com', await listAll(server.client, resourcePath(widgets)));
    // More than the API server itself writes while it starts again.
    for (let number = 0; number < 100; number += 1) {
      await server.client.call('POST', objectPath(widgets, 'team-b'), widget(`late-${number}`));
    }
    const newest = await currentVersion();
    await server.restore(join(folder.path, 'snapshot'));
    expect((await identity()).metadata.uid).toBe(uid);
    expect(await currentVersion()).toBeLessThan(newest);
    const after = serverState('c', 'widgets.example.com', await listAll(server.client, resourcePath(widgets)));
    expect(compareStates(before, after)).toEqual([]);
  });

  test('a killed API server refuses, and the same one returns', async () => {
    const before = await listAll(server.client, resourcePath(widgets));
    await server.kill();
    await expect(server.client.request('GET', '/version')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await server.restart();
    expect(await listAll(server.client, resourcePath(widgets))).toEqual(before);
  });

  test('etcd returns with what it had', async () => {
    const before = await listAll(server.client, resourcePath(widgets));
    await server.killEtcd();
    await server.restartEtcd();
    expect(await listAll(server.client, resourcePath(widgets))).toEqual(before);
  });

  test('a definition that is deleted takes its objects along, and comes back empty', async () => {
    await deleteCrd(server.client, widgets);
    await createCrd(server.client, widgets);
    expect(await listAll(server.client, resourcePath(widgets))).toEqual([]);
  });
});

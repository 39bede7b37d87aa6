// A real API server with its own etcd under a soak (KUBEBUILDER_ASSETS); about 300 MB and a few seconds to start.
import { setTimeout as delay } from 'node:timers/promises';
import { clusterClient, listAll } from '../test/support/cluster-client.ts';
import { createNamespaces } from '../test/support/crd.ts';
import { startKubeApiServer } from '../test/support/kube-apiserver.ts';
import { type SoakCluster, type SoakObject, soakNamespaces } from './soak-cluster.ts';
import { soakDefinition, soakResources } from './soak-objects.ts';

const mergePatch = 'application/merge-patch+json';

export async function kubeCluster(name: string): Promise<SoakCluster> {
  const server = await startKubeApiServer();
  const { url, token, ca } = server;
  const client = clusterClient(server);
  const { metadata } = await client.call('GET', '/api/v1/namespaces/kube-system');
  await createNamespaces(client, soakNamespaces);
  for (const resource of soakResources) {
    await client.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', soakDefinition(resource));
    const collection = `/apis/${resource.group}/v1/${resource.plural}`;
    while ((await client.request('GET', `${collection}?limit=1`)).status !== 200) await delay(50);
  }
  return {
    name,
    url,
    token,
    ca,
    uid: metadata.uid ?? '',
    async create(at, object) {
      const path = pathOf(at);
      await client.call('POST', path.slice(0, path.lastIndexOf('/')), object);
    },
    async patch(at, change) {
      const path = `${pathOf(at)}${'status' in change ? '/status' : ''}`;
      const { status, text } = await client.request('PATCH', path, change, mergePatch);
      if (status >= 300) throw new Error(`PATCH ${path}: ${status} ${text}`);
    },
    async delete(at) {
      await client.call('DELETE', pathOf(at), undefined, [404]);
    },
    async objects() {
      const lists = soakResources.map(async ({ group, plural }) =>
        (await listAll(client, `/apis/${group}/v1/${plural}`)).map((object) => ({
          resource: `${plural}.${group}`,
          object,
        })),
      );
      return (await Promise.all(lists)).flat();
    },
    // A real server has no other lever: it is killed, and connections and watches end with it.
    drop: () => server.restart(),
    endWatches: () => server.restart(),
    async gone() {
      // A watch cache answers from its own history: only a new one lets etcd's compaction be seen.
      await server.compact();
      await server.restart();
    },
    async restart(downMs) {
      await server.kill();
      await delay(downMs);
      await server.restart();
    },
    async stop() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function pathOf({ group, plural, namespace, name }: SoakObject): string {
  return `/apis/${group}/v1/namespaces/${namespace}/${plural}/${name}`;
}

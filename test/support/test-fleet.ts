// Clusters with the same custom resources, by their identities, and the state in which they are: what a feed is held against.
import { type ClusterEndpoint, listAll } from './cluster-client.ts';
import { createCrd, createNamespaces, resourcePath, type TestResource } from './crd.ts';
import { type State, serverState } from './materialise.ts';
import type { TestCluster } from './test-cluster.ts';

export interface TestFleet {
  /** The cluster's identity in changes: the uid of its kube-system. */
  idOf(cluster: TestCluster): string;
  /** What these clusters (default: all) have now. A resource that is not served has nothing. */
  state(asked?: readonly TestCluster[]): Promise<State>;
}

/** Creates the definitions, and the namespaces `team-a` and `team-b`, in each cluster. */
export async function prepareFleet(
  clusters: readonly TestCluster[],
  resources: readonly TestResource[],
): Promise<TestFleet> {
  const ids = new Map<TestCluster, string>();
  for (const cluster of clusters) {
    await createNamespaces(cluster.client, ['team-a', 'team-b']);
    for (const resource of resources) await createCrd(cluster.client, resource);
    const { uid = '' } = (await cluster.client.call('GET', '/api/v1/namespaces/kube-system')).metadata;
    ids.set(cluster, uid);
  }
  const idOf = (cluster: TestCluster): string => ids.get(cluster) ?? '';

  async function stateOf(cluster: TestCluster): Promise<State> {
    const parts = await Promise.all(
      resources.map(async (resource) => {
        const { status } = await cluster.client.request('GET', `${resourcePath(resource)}?limit=1`);
        const objects = status === 404 ? [] : await listAll(cluster.client, resourcePath(resource));
        return [...serverState(idOf(cluster), `${resource.plural}.${resource.group}`, objects)];
      }),
    );
    return new Map(parts.flat());
  }

  return {
    idOf,
    state: async (asked = clusters) => new Map((await Promise.all(asked.map(stateOf))).flatMap((state) => [...state])),
  };
}

/** Their endpoints by context name, as `kubeconfigText` takes them. */
export function endpoints(clusters: readonly TestCluster[]): Record<string, ClusterEndpoint> {
  return Object.fromEntries(clusters.map((each) => [each.name, each.endpoint]));
}

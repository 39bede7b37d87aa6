// mk8s as a library: `import { loadClusters } from 'mk8s'`. It reads the environment; everything below is handed it.
import { homedir } from 'node:os';
import type { Fleet } from './adapters/kubernetes/fleet.ts';
import { type LoadOptions, loadDefaultFleet } from './adapters/kubernetes/fleet-default.ts';
import { chooseDefault } from './compose.ts';

/**
 * Loads the clusters that one has access to: of `KUBECONFIG` if set (its files merged as kubectl does), else all contexts
 * of `~/.kube/config`, else the cluster that this process runs in. Connects to nothing; what is wrong with a context or a
 * file is in `fleet.problems`, and the others are there.
 *
 * ```ts
 * await using fleet = await loadClusters();
 * const cluster = fleet.default;
 * for await (const route of cluster.list('httproutes.gateway.networking.k8s.io')) console.log(route.metadata?.name);
 * ```
 *
 * Rejects only with the signal's reason.
 */
export async function loadClusters(options: LoadOptions = {}): Promise<Fleet> {
  const { env } = process;
  const wish = { named: env['MESH_URL'] || undefined, region: options.region };
  return loadDefaultFleet(options, { env, home: homedir(), chooseDefault: (found) => chooseDefault(found, wish) });
}

export type { Client } from './adapters/kubernetes/client.ts';
export type { ListEnd } from './adapters/kubernetes/client-list.ts';
export type { KubernetesObject, ObjectMeta } from './adapters/kubernetes/client-object.ts';
export type {
  ApplyOptions,
  CallOptions,
  CollectionOptions,
  Deleted,
  DeleteOptions,
  GetOptions,
  ListOptions,
  NamespaceOptions,
  PatchOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './adapters/kubernetes/client-options.ts';
export type { ResourceName } from './adapters/kubernetes/client-resource.ts';
export type { Cluster } from './adapters/kubernetes/cluster.ts';
export type { Discovery, FailedGroupVersion } from './adapters/kubernetes/discovery.ts';
export type { Fleet } from './adapters/kubernetes/fleet.ts';
export type { LoadOptions } from './adapters/kubernetes/fleet-default.ts';
export type { ClusterIdentity } from './adapters/kubernetes/identity.ts';
export type { ApiClass } from './adapters/kubernetes/interop.ts';
export type { ServiceAccountToken, TokenOptions } from './adapters/kubernetes/token-request.ts';
export type { Problem } from './model/cluster.ts';
export { type ErrorCode, Mk8sError } from './model/errors.ts';
export type { GroupResource, GroupVersionResource, ResourceInfo } from './model/resource.ts';
export type { ApiRequest, ApiResponse, ApiServer } from './ports/api-server.ts';
export type { ClusterCandidate, ClusterSource } from './ports/cluster-source.ts';

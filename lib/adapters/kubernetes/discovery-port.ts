// What the pipeline asks of a cluster about itself, over the REST API.
import { Mk8sError } from '../../model/errors.ts';
import type { ApiServer } from '../../ports/api-server.ts';
import type { ClusterAnswer, DiscoveredResources, ResourceDiscovery } from '../../ports/resource-discovery.ts';
import { discoverResources } from './discovery.ts';
import { isGoneForGood } from './gone.ts';
import { fallbackClusterId, readClusterIdentity, readServerVersion } from './identity.ts';

export const kubernetesDiscovery: ResourceDiscovery = {
  identify: identifyCluster,
  resources: changedResources,
  isGone: (api, resource, signal) => isGoneForGood({ api, name: api.server }, resource, signal),
};

/**
 * The cluster's identity by its kube-system namespace; where that may not be read (its own 403, not a proxy's), by its
 * URL. Throws Mk8sError for everything else.
 */
export async function identifyCluster(api: ApiServer, signal?: AbortSignal, name?: string): Promise<ClusterAnswer> {
  try {
    return await readClusterIdentity(api, signal, name);
  } catch (error) {
    const refused = error instanceof Mk8sError && error.status === 403 && error.reason === 'Forbidden';
    if (!refused) throw error;
    const version = await readServerVersion(api, signal, name);
    return { id: fallbackClusterId(api.server), version, byAddress: true };
  }
}

async function changedResources(
  api: ApiServer,
  { signal, previous }: { readonly signal: AbortSignal; readonly previous?: DiscoveredResources },
): Promise<DiscoveredResources> {
  const etag = previous?.etag;
  const found = await discoverResources(api, { signal, ...(etag === undefined ? {} : { etag }) });
  if (previous === undefined) return found;
  return found.notModified === true || equal(found, previous) ? previous : found;
}

/** Older servers have no etag, and an etag changes with what does not matter here. */
function equal(a: DiscoveredResources, b: DiscoveredResources): boolean {
  return JSON.stringify([a.resources, a.failed]) === JSON.stringify([b.resources, b.failed]) && a.etag === b.etag;
}

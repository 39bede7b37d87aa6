// What can be asked of a cluster about itself.
import type { GroupResource, ResourceInfo } from '../model/resource.ts';
import type { ApiServer } from './api-server.ts';

export interface DiscoveredResources {
  readonly resources: readonly ResourceInfo[];
  /** Groups that could not be read just now: what they serve is unknown, not removed. */
  readonly failed: readonly { readonly groupVersion: string; readonly message: string }[];
  /** Hand it in again to save reading what did not change. */
  readonly etag?: string;
}

export interface ClusterAnswer {
  readonly id: string;
  readonly version: string;
  readonly byAddress?: true;
}

export interface ResourceDiscovery {
  /**
   * The cluster's stable id and its version. `byAddress`: it refused to say who it is, and its address stands for it.
   * Throws Mk8sError where it cannot be reached or refuses.
   */
  identify(api: ApiServer, signal: AbortSignal): Promise<ClusterAnswer>;
  /** Everything served, in preferred versions. Returns `previous` itself where nothing changed. */
  resources(
    api: ApiServer,
    options: { readonly signal: AbortSignal; readonly previous?: DiscoveredResources },
  ): Promise<DiscoveredResources>;
  /**
   * True only with proof that the resource is gone for good: no CRD of that name, and no other server for its group.
   * (That `resources` does not list it proves nothing: an API server that starts does not list its CRDs yet.)
   */
  isGone(api: ApiServer, resource: GroupResource, signal: AbortSignal): Promise<boolean>;
}

// The two functions, and both in one process. What a function does not serve it does not load.
import type { HttpHandler } from '../ports/http.ts';
import { aboutRoutes } from './about.ts';
import { getCluster, getStreams, listClusters } from './clusters.ts';
import { createHandler } from './dispatch.ts';
import { getKubeconfig, getKubeconfigs } from './kubeconfig.ts';
import type { Route } from './route.ts';
import type { Services } from './services.ts';

export type FunctionName = 'clusters' | 'tokens' | 'all';

/** Those of the function that lists. */
export const LIST_ROUTES: readonly Route[] = [listClusters, getCluster, getStreams, getKubeconfig, getKubeconfigs];

/** `version` gives this package's, for the description. */
export async function createFunction(
  name: FunctionName,
  services: Services,
  version: () => string,
): Promise<HttpHandler> {
  const tokens = name === 'clusters' ? [] : (await import('./token-routes.ts')).tokenRoutes(services);
  const own = name === 'tokens' ? tokens : [...LIST_ROUTES, ...tokens];
  const all: readonly Route[] = [
    ...own,
    ...aboutRoutes(async () => (await import('./openapi.ts')).openApi(all, version())),
  ];
  return createHandler(all, services);
}

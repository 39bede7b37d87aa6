// The two functions, and both in one process.
import type { HttpHandler } from '../ports/http.ts';
import { aboutRoutes } from './about.ts';
import { getCredential, requestAccountToken } from './account-tokens.ts';
import { getCluster, getStreams, listClusters } from './clusters.ts';
import { type Admit, createAdmission, createHandler } from './dispatch.ts';
import type { JsonSchema } from './json-schema.ts';
import { getKubeconfig, getKubeconfigs } from './kubeconfig.ts';
import { createMint } from './mint.ts';
import { openApi } from './openapi.ts';
import type { Route } from './route.ts';
import type { Services } from './services.ts';
import { exchangeToken } from './token-exchange.ts';

export type FunctionName = 'clusters' | 'tokens' | 'all';

/** `version` is this package's, for the description. */
export function createFunction(name: FunctionName, services: Services, version: string): HttpHandler {
  const admit = createAdmission(services);
  const own = routesOf(name, services, admit);
  const all: readonly Route[] = [...own, ...aboutRoutes((): JsonSchema => openApi(all, version))];
  return createHandler(all, services, admit);
}

function routesOf(name: FunctionName, services: Services, admit: Admit): readonly Route[] {
  const lists = [listClusters, getCluster, getStreams, getKubeconfig, getKubeconfigs];
  if (name === 'clusters') return lists;
  const mint = createMint(services);
  const tokens = [
    requestAccountToken(mint),
    getCredential(mint),
    exchangeToken(mint, (caller) => admit('tokens', caller)),
  ];
  return name === 'tokens' ? tokens : [...lists, ...tokens];
}

/** The description of all endpoints: what the client is generated from. */
export function describeAll(version: string): JsonSchema {
  const never = (): never => {
    throw new Error('The description calls nothing.');
  };
  const routes = [
    listClusters,
    getCluster,
    getStreams,
    getKubeconfig,
    getKubeconfigs,
    requestAccountToken(never),
    getCredential(never),
    exchangeToken(never, never),
  ];
  return openApi([...routes, ...aboutRoutes(() => ({}))], version);
}

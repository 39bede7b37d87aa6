// Kubeconfigs for kubectl and every other client: where the clusters are, and a plugin that fetches the token. No secret is in them.
import type { ClusterInfo } from '../model/cluster.ts';
import { serviceAccountRules } from '../policy/decide.ts';
import type { VerifiedCaller } from '../ports/caller.ts';
import { endpointOf } from './cluster-endpoint.ts';
import { findReadable, readable } from './clusters.ts';
import { namesOf } from './find-cluster.ts';
import { Problem } from './problems.ts';
import { type Route, route } from './route.ts';
import * as schemas from './schemas.ts';
import type { Services } from './services.ts';

interface Account {
  readonly namespace?: string | undefined;
  readonly serviceaccount?: string | undefined;
}

const shape = {
  method: 'GET',
  caller: 'bearer',
  rate: 'lists',
  gives: ['application/yaml', 'application/json'],
  status: 200,
  answers: schemas.kubeconfigSchema,
  answerName: 'Kubeconfig',
} as const;

export const getKubeconfig: Route = route({
  ...shape,
  id: 'getKubeconfig',
  summary: 'A kubeconfig with one cluster',
  path: '/v1/clusters/{cluster}/kubeconfig',
  params: schemas.clusterParams,
  query: schemas.kubeconfigQuery,
  problems: ['denied', 'cluster-not-found', 'ambiguous-cluster'],
  async handle({ params, query, caller, request, services }) {
    const { clusters } = await services.fleet.read({ refresh: false, signal: request.signal });
    const cluster = findReadable(params.cluster, clusters, caller, services);
    if (cluster.id === undefined) {
      throw new Problem('cluster-not-found', { detail: 'The cluster is listed, and has not been reached yet' });
    }
    return { body: kubeconfigOf([cluster], checked(query), services), revalidates: true };
  },
});

export const getKubeconfigs: Route = route({
  ...shape,
  id: 'getKubeconfigs',
  summary: 'A kubeconfig with every cluster that the caller may use',
  path: '/v1/kubeconfig',
  query: schemas.kubeconfigsQuery,
  problems: [],
  async handle({ query, caller, request, services }) {
    const { clusters } = await services.fleet.read({ refresh: false, signal: request.signal });
    const usable = readable(clusters, query, caller, services).filter((cluster) => mayUse(cluster, caller, services));
    return { body: kubeconfigOf(usable, checked(query), services), revalidates: true };
  },
});

function mayUse(cluster: ClusterInfo, caller: VerifiedCaller, { policy }: Services): boolean {
  if (cluster.id === undefined) return false;
  const rules = serviceAccountRules(policy, caller, namesOf(cluster));
  return rules.some(({ what }) => what === 'service-account-tokens');
}

function checked(account: Account): Account {
  if ((account.namespace === undefined) !== (account.serviceaccount === undefined)) {
    throw new Problem('invalid-request', { detail: 'namespace and serviceaccount go together' });
  }
  return account;
}

/** Names are unique in a kubeconfig: of clusters with the same name, the later ones carry their id. */
function kubeconfigOf(clusters: readonly ClusterInfo[], account: Account, { settings }: Services): object {
  const seen = new Set<string>();
  const named = clusters.map((cluster) => {
    const name = seen.has(cluster.name) ? `${cluster.name} (${cluster.id ?? ''})` : cluster.name;
    seen.add(cluster.name);
    return { name, cluster };
  });
  const current = named.find(({ cluster }) => cluster.isDefault) ?? named[0];
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': current?.name ?? '',
    clusters: named.map(({ name, cluster }) => ({ name, cluster: endpointOf(cluster) })),
    users: named.map(({ name, cluster }) => ({ name, user: { exec: plugin(cluster, account, settings) } })),
    contexts: named.map(({ name, cluster: { namespace } }) => ({
      name,
      context: { cluster: name, user: name, namespace },
    })),
    preferences: {},
  };
}

/** With `=`: a value can then not be taken for a flag. */
function plugin({ id }: ClusterInfo, account: Account, settings: Services['settings']): object {
  const { namespace, serviceaccount } = account;
  return {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: 'mk8s',
    args: [
      'credential',
      `--cluster=${id ?? ''}`,
      `--service=${settings.tokensUrl}`,
      settings.tokensAudience === undefined ? '--service-anonymous' : `--audience=${settings.tokensAudience}`,
      ...(namespace === undefined || serviceaccount === undefined
        ? []
        : [`--namespace=${namespace}`, `--service-account=${serviceaccount}`]),
    ],
    interactiveMode: 'Never',
    // The plugin is told of the server, and gives no token for one that would get it unencrypted.
    provideClusterInfo: true,
    installHint: 'The credential plugin is mk8s itself: npm install --global mk8s',
  };
}

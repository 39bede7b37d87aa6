// Tokens of Kubernetes service accounts: as a TokenRequest, and as the credential that kubectl's plugins hand on.
import type { ClusterInfo } from '../model/cluster.ts';
import type { ClusterId } from '../model/stream.ts';
import { serviceAccountRules } from '../policy/decide.ts';
import { API_SERVER } from '../policy/policy.ts';
import type { VerifiedCaller } from '../ports/caller.ts';
import { findCluster, namesOf } from './find-cluster.ts';
import type { Mint, Minted } from './mint.ts';
import { Problem } from './problems.ts';
import { type Input, type Route, route } from './route.ts';
import * as schemas from './schemas.ts';
import type { Services } from './services.ts';

const PROBLEMS = ['denied', 'cluster-not-found', 'ambiguous-cluster', 'upstream'] as const;

export function requestAccountToken(mint: Mint): Route {
  return route({
    id: 'requestServiceAccountToken',
    summary: 'A token of a Kubernetes service account, as its own TokenRequest',
    method: 'POST',
    path: '/v1/clusters/{cluster}/namespaces/{namespace}/serviceaccounts/{serviceaccount}/token',
    caller: 'bearer',
    rate: 'tokens',
    params: schemas.accountParams,
    query: schemas.noQuery,
    body: schemas.tokenRequestSchema,
    gives: ['application/json'],
    status: 201,
    answers: schemas.tokenAnswerSchema,
    answerName: 'TokenRequest',
    problems: PROBLEMS,
    async handle({ params, body, ...input }) {
      const audience = body.spec?.audiences?.[0];
      const account = { namespace: params.namespace, serviceAccount: params.serviceaccount };
      const cluster = await clusterOf(params.cluster, input);
      const seconds = body.spec?.expirationSeconds;
      const { token, seconds: granted } = await mintAccountToken(mint, cluster, account, { audience, seconds }, input);
      return {
        status: 201,
        body: {
          apiVersion: body.apiVersion,
          kind: body.kind,
          spec: { audiences: audience === undefined ? [] : [audience], expirationSeconds: granted },
          status: { token: token.token, expirationTimestamp: token.expiresAt.toISOString() },
        },
      };
    },
  });
}

export function getCredential(mint: Mint): Route {
  return route({
    id: 'getCredential',
    summary: 'A credential for kubectl: a token of a service account for the API server',
    method: 'GET',
    path: '/v1/clusters/{cluster}/credential',
    caller: 'bearer',
    rate: 'tokens',
    params: schemas.clusterParams,
    query: schemas.credentialQuery,
    gives: ['application/json'],
    status: 200,
    answers: schemas.execCredentialSchema,
    answerName: 'ExecCredential',
    problems: [...PROBLEMS, 'ambiguous-service-account'],
    async handle({ params, query, ...input }) {
      const cluster = await clusterOf(params.cluster, input);
      const account = chosen(query, cluster, input.caller, input.services);
      const nothing = { audience: undefined, seconds: undefined };
      const { token } = await mintAccountToken(mint, cluster, account, nothing, input);
      return {
        body: {
          apiVersion: 'client.authentication.k8s.io/v1',
          kind: 'ExecCredential',
          status: { token: token.token, expirationTimestamp: token.expiresAt.toISOString() },
        },
      };
    },
  });
}

type Around = Pick<Input<unknown, unknown, unknown>, 'caller' | 'request' | 'requestId' | 'services'>;

interface Account {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** A cluster that discovery vouches for, and that was reached: a token is asked for nowhere else. */
export async function clusterOf(
  wanted: string,
  { caller, request, services }: Around,
): Promise<ClusterInfo & { readonly id: ClusterId }> {
  const { clusters } = await services.fleet.read({ refresh: false, signal: request.signal });
  const cluster = findCluster(wanted, clusters, caller, services);
  const { id } = cluster;
  if (id !== undefined) return { ...cluster, id };
  throw new Problem('upstream', { detail: 'The cluster is listed, and has not been reached' });
}

function mintAccountToken(
  mint: Mint,
  cluster: ClusterInfo & { readonly id: ClusterId },
  account: Account,
  { audience, seconds }: { readonly audience: string | undefined; readonly seconds: number | undefined },
  { caller, request, requestId, services }: Around,
): Promise<Minted> {
  // What stands for the API server in policies must not be asked of it as the name of an audience.
  if (audience === API_SERVER) {
    throw new Problem('invalid-request', { detail: `Leave audiences out for the API server` });
  }
  const named = audience ?? API_SERVER;
  return mint({
    caller,
    requestId,
    ask: { what: 'service-account-tokens', cluster: namesOf(cluster), ...account, audience: named },
    subject: `${cluster.id}/${account.namespace}/${account.serviceAccount}`,
    audience: named,
    seconds,
    signal: request.signal,
    issue: (granted, signal) =>
      services.minter.serviceAccount(
        { cluster: cluster.id, ...account },
        { audience, seconds: granted.seconds },
        signal,
      ),
  });
}

/** The account that was named, else the only one that is granted. */
function chosen(
  {
    namespace,
    serviceaccount,
  }: { readonly namespace?: string | undefined; readonly serviceaccount?: string | undefined },
  cluster: ClusterInfo,
  caller: VerifiedCaller,
  { policy }: Services,
): Account {
  if (namespace !== undefined && serviceaccount !== undefined) return { namespace, serviceAccount: serviceaccount };
  if (namespace !== undefined || serviceaccount !== undefined) {
    throw new Problem('invalid-request', { detail: 'namespace and serviceaccount go together' });
  }
  const rules = serviceAccountRules(policy, caller, namesOf(cluster)).filter(
    ({ what, audiences }) => what === 'service-account-tokens' && audiences?.includes(API_SERVER) === true,
  );
  const accounts = new Map<string, Account>();
  for (const rule of rules) {
    for (const ns of rule.namespaces ?? []) {
      for (const serviceAccount of rule.serviceAccounts ?? []) {
        accounts.set(`${ns}/${serviceAccount}`, { namespace: ns, serviceAccount });
      }
    }
  }
  const [account] = accounts.values();
  if (account === undefined) {
    throw new Problem('denied', { detail: 'The policy grants this caller no service account for this cluster' });
  }
  if (accounts.size > 1 || `${account.namespace}${account.serviceAccount}`.includes('*')) {
    throw new Problem('ambiguous-service-account', { detail: 'Name one with namespace and serviceaccount' });
  }
  return account;
}

// Google's identity without Google's surroundings: a cluster's service account, exchanged for a federated token. So a kubeconfig
// (or a pod) alone leads to all clusters of a project and its fleet.
import { federatedTokens } from '../adapters/google/federated-tokens.ts';
import {
  ownServiceAccount,
  type ServiceAccount,
  serviceAccountTokens,
} from '../adapters/kubernetes/service-account-tokens.ts';
import { gkePool, readWorkloadPool, type WorkloadPool } from '../adapters/kubernetes/workload-pool.ts';
import { singleFlight } from '../async/single-flight.ts';
import { systemClock } from '../async/system-clock.ts';
import type { Config } from '../config/options.ts';
import { Mk8sError } from '../model/errors.ts';
import type { ApiServer } from '../ports/api-server.ts';
import type { ClusterCandidate } from '../ports/cluster-source.ts';
import type { TokenSource } from '../ports/token-source.ts';

/** The cluster whose service account it is; undefined where there is none. Asked whenever a token is needed. */
export type FindHome = (signal?: AbortSignal) => Promise<ClusterCandidate | undefined>;

export interface Bootstrap {
  readonly tokens: TokenSource;
  /** The service account's own JWTs, for whoever trusts the cluster's issuer. */
  readonly caller: TokenSource;
  /** The workload identity pool: `PROJECT.svc.id.goog`, or as it is configured. */
  pool(): Promise<string>;
  /** Of the pool; undefined where its name does not say. */
  project(): Promise<string | undefined>;
  close(): Promise<void>;
}

interface Opened {
  /** Of the candidate that it was opened for. */
  readonly key: string;
  readonly api: ApiServer;
  readonly pool: string;
  readonly tokens: TokenSource;
  readonly caller: TokenSource;
}

/** Nothing is asked before the first token. `sts`: another place than Google's own. */
export function bootstrapFrom(findHome: FindHome, config: Config, sts: string | undefined): Bootstrap {
  let opened: Opened | undefined;

  const current = singleFlight(async (signal) => {
    const home = await findHome(signal);
    if (home === undefined) throw noHome();
    const key = `${home.source}\n${home.name}\n${home.fingerprint}`;
    if (opened?.key === key) return opened;
    const api = home.connect();
    try {
      const next = { key, api, ...(await openIn(home, api, config, sts, signal)) };
      await opened?.api.close();
      opened = next;
      return next;
    } catch (error) {
      await api.close();
      throw error;
    }
  });

  const source = (kind: 'tokens' | 'caller'): TokenSource => ({
    get identity() {
      return opened?.[kind].identity ?? 'the service account of the default cluster';
    },
    get principal() {
      return opened?.[kind].principal;
    },
    async get(request, options = {}) {
      return await (await current(options.signal))[kind].get(request, options);
    },
  });

  return {
    tokens: source('tokens'),
    caller: source('caller'),
    async pool() {
      return (await current()).pool;
    },
    async project() {
      const { pool } = await current();
      return /^([a-z0-9-]+)\.(?:svc|hub)\.id\.goog$/.exec(pool)?.[1];
    },
    async close() {
      await opened?.api.close();
    },
  };
}

async function openIn(
  home: ClusterCandidate,
  api: ApiServer,
  { google }: Config,
  sts: string | undefined,
  signal: AbortSignal,
): Promise<Pick<Opened, 'pool' | 'tokens' | 'caller'>> {
  const target = { api, name: home.name };
  const account = await accountOf(google.kubernetesServiceAccount, home, () => ownServiceAccount(target, signal));
  const found = google.pool === undefined ? await poolOf(home, () => readWorkloadPool(target, signal)) : undefined;
  const pool = google.pool ?? found?.pool;
  if (pool === undefined) throw noPool(home.name);
  const provider = google.provider ?? found?.provider;
  const { namespace, name } = account;
  const caller = serviceAccountTokens(target, account);
  const tokens = federatedTokens({
    subject: caller,
    pool,
    now: () => systemClock.now(),
    // https://cloud.google.com/iam/docs/reference/rest/v1/Binding (members)
    ...(pool.endsWith('.id.goog') ? { principal: `serviceAccount:${pool}[${namespace}/${name}]` } : {}),
    ...(provider === undefined ? {} : { provider }),
    ...(sts === undefined ? {} : { url: sts }),
  });
  return { pool, tokens, caller };
}

/** As configured, else whoever the credentials speak for, else the namespace's own account. */
async function accountOf(
  configured: string | undefined,
  home: ClusterCandidate,
  own: () => Promise<ServiceAccount | undefined>,
): Promise<ServiceAccount> {
  const [namespace, name] = configured?.split('/') ?? [];
  if (namespace !== undefined && name !== undefined) return { namespace, name };
  return (await own()) ?? { namespace: home.namespace, name: 'default' };
}

/** As the cluster says, else by the name that gcloud gives to contexts. */
async function poolOf(
  home: ClusterCandidate,
  read: () => Promise<WorkloadPool | undefined>,
): Promise<WorkloadPool | undefined> {
  const [, project, location, cluster] = /^gke_([^_]+)_([^_]+)_([^_]+)$/.exec(home.name) ?? [];
  const link = `https://container.googleapis.com/v1/projects/${project}/locations/${location}/clusters/${cluster}`;
  return (await read()) ?? (cluster === undefined ? undefined : gkePool(link));
}

function noHome(): Mk8sError {
  return new Mk8sError(
    'Cannot get a token of a service account for Google: no context of the kubeconfig is current, and this is not a pod. Choose one: kubectl config use-context NAME',
    { code: 'config' },
  );
}

function noPool(cluster: string): Mk8sError {
  return new Mk8sError(
    `Cannot exchange tokens of cluster "${cluster}" for Google's: it has no fleet membership, and its issuer is not GKE's, so no workload identity pool is known that trusts it. Register it (gcloud container fleet memberships register), or name the pool with --google-pool and --google-provider`,
    { code: 'config' },
  );
}

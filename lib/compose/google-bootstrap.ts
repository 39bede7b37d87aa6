// Google's identity without Google's surroundings: a cluster's service account, exchanged for a federated token. So a kubeconfig
// (or a pod) alone leads to all clusters of a project and its fleet.
import { federatedTokens } from '../adapters/google/federated-tokens.ts';
import {
  ownServiceAccount,
  type ServiceAccount,
  serviceAccountTokens,
} from '../adapters/kubernetes/service-account-tokens.ts';
import { namedPool, readWorkloadPool, type WorkloadPool } from '../adapters/kubernetes/workload-pool.ts';
import { singleFlight } from '../async/single-flight.ts';
import { systemClock } from '../async/system-clock.ts';
import type { Config } from '../config/options.ts';
import { Mk8sError } from '../model/errors.ts';
import { type GkeName, placeInName } from '../model/gke-name.ts';
import type { ApiServer } from '../ports/api-server.ts';
import type { ClusterCandidate } from '../ports/cluster-source.ts';
import type { TokenSource } from '../ports/token-source.ts';
import type { Home } from './home-cluster.ts';

/** A Kubernetes service account that stands for this process. */
export interface Account {
  /** Default: the context's. */
  readonly namespace?: string;
  readonly name: string;
}

export interface BootstrapOptions {
  readonly home: Home;
  /** Default: whoever the cluster's credentials speak for, else `default` of the context's namespace. */
  readonly account: Account | undefined;
  /** Instead of what the cluster says. */
  readonly google: Pick<Config['google'], 'pool' | 'provider'>;
  /** Google's STS, where it is not at its own place. */
  readonly sts: string | undefined;
}

export interface Bootstrap {
  /** Access tokens of Google's. */
  readonly tokens: TokenSource;
  /** The JWTs themselves, as identity tokens for whoever trusts the cluster's issuer. */
  readonly jwts: TokenSource;
  /** `PROJECT.svc.id.goog`, as GKE calls a workload that has no Google service account; undefined for other pools. */
  email(): Promise<string | undefined>;
  /** Of the pool; undefined where its name does not say. */
  readonly project: () => Promise<string | undefined>;
  /** Where the cluster is, as far as its name tells. */
  place(): Promise<Partial<GkeName>>;
  close(): Promise<void>;
}

interface Opened {
  /** Of the candidate that it was opened for. */
  readonly key: string;
  readonly api: ApiServer;
  readonly pool: string;
  readonly jwts: TokenSource;
  readonly tokens: TokenSource;
}

/** Nothing is asked before the first token. All methods throw Mk8sError: `config` where there is no cluster, or no pool is known. */
export function bootstrapFrom(options: BootstrapOptions): Bootstrap {
  const { home, account, google } = options;
  let seen: ClusterCandidate | undefined;
  let opened: Opened | undefined;

  async function find(signal?: AbortSignal): Promise<ClusterCandidate> {
    seen = await home.find(signal);
    if (seen === undefined) throw noHome();
    return seen;
  }

  const current = singleFlight(async (signal) => {
    const cluster = await find(signal);
    const key = `${cluster.source}\n${cluster.name}\n${cluster.fingerprint}`;
    if (opened?.key === key) return opened;
    const api = cluster.connect();
    try {
      const next = { key, api, ...(await openIn(cluster, api, options, signal)) };
      await opened?.api.close();
      opened = next;
      return next;
    } catch (error) {
      await api.close();
      throw error;
    }
  });

  /** Whom they will speak for, as far as that is known before the first. */
  function expected(): string {
    const name = account?.name;
    const namespace = account?.namespace ?? seen?.namespace;
    const who =
      name === undefined || namespace === undefined ? 'the service account' : `service account ${namespace}/${name}`;
    return `${who} of ${seen === undefined ? 'the default cluster' : `cluster "${seen.name}"`}`;
  }

  const through = (choose: (from: Opened) => TokenSource): TokenSource => ({
    get identity() {
      return opened === undefined ? expected() : choose(opened).identity;
    },
    get principal() {
      return opened === undefined ? undefined : choose(opened).principal;
    },
    get: async (request, given = {}) => await choose(await current(given.signal)).get(request, given),
  });

  return {
    tokens: through(({ tokens }) => tokens),
    jwts: through(({ jwts }) => jwts),
    async email() {
      // GKE's own server names the pool of the cluster's project, whichever else trusts the cluster.
      const named = google.pool ?? namedPool((await find()).name)?.pool;
      // Opened all the same, for whoever asks this is about to say whom the tokens speak for. Where that cannot be done just now, the
      // first token is what fails, and tells why.
      const pool =
        named === undefined
          ? (await current()).pool
          : await current().then(
              () => named,
              () => named,
            );
      return pool.endsWith('.svc.id.goog') ? pool : undefined;
    },
    async project() {
      const pool = google.pool ?? (await current()).pool;
      return /^([a-z0-9-]+)\.(?:svc|hub)\.id\.goog$/.exec(pool)?.[1];
    },
    place: async () => placeInName((await find()).name) ?? {},
    async close() {
      await opened?.api.close();
      await home.close();
    },
  };
}

async function openIn(
  cluster: ClusterCandidate,
  api: ApiServer,
  { account: named, google, sts }: BootstrapOptions,
  signal: AbortSignal,
): Promise<Pick<Opened, 'pool' | 'jwts' | 'tokens'>> {
  const target = { api, name: cluster.name };
  const account = await accountOf(named, cluster, () => ownServiceAccount(target, signal));
  const { pool, provider } = await poolOf(google, cluster, () => readWorkloadPool(target, signal));
  const jwts = serviceAccountTokens(target, account);
  const tokens = federatedTokens({
    subject: jwts,
    pool,
    now: () => systemClock.now(),
    // https://cloud.google.com/iam/docs/reference/rest/v1/Binding (members)
    ...(pool.endsWith('.id.goog') ? { principal: `serviceAccount:${pool}[${account.namespace}/${account.name}]` } : {}),
    ...(provider === undefined ? {} : { provider }),
    ...(sts === undefined ? {} : { url: sts }),
  });
  return { pool, jwts, tokens };
}

/** As named, else whoever the credentials speak for, else the namespace's own account. */
async function accountOf(
  named: Account | undefined,
  { namespace }: ClusterCandidate,
  own: () => Promise<ServiceAccount | undefined>,
): Promise<ServiceAccount> {
  if (named !== undefined) return { namespace, ...named };
  return (await own()) ?? { namespace, name: 'default' };
}

/** As configured, else as the cluster says, else by the name that gcloud gives to contexts. */
async function poolOf(
  google: BootstrapOptions['google'],
  { name }: ClusterCandidate,
  read: () => Promise<WorkloadPool | undefined>,
): Promise<{ readonly pool: string; readonly provider: string | undefined }> {
  const { pool } = google;
  if (pool !== undefined) {
    // Other pools have their provider in their name.
    const known = pool.endsWith('.svc.id.goog') ? namedPool(name)?.provider : undefined;
    return { pool, provider: google.provider ?? known };
  }
  const found = (await read()) ?? namedPool(name);
  if (found === undefined) throw noPool(name);
  return { pool: found.pool, provider: google.provider ?? found.provider };
}

function noHome(): Mk8sError {
  return new Mk8sError(
    'Cannot get a token of a service account for Google: no context of the kubeconfig is current, and this is not a pod. Choose one: kubectl config use-context NAME',
    { code: 'config' },
  );
}

function noPool(cluster: string): Mk8sError {
  return new Mk8sError(
    `Cannot exchange tokens of cluster "${cluster}" for Google's: it has no fleet membership, its issuer is not GKE's, and its name is none that gcloud gives (gke_PROJECT_LOCATION_NAME, connectgateway_PROJECT_LOCATION_NAME), so no workload identity pool is known that trusts it. Register it (gcloud container fleet memberships register), or name the pool with --google-pool and --google-provider`,
    { code: 'config' },
  );
}

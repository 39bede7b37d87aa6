// Whose Google tokens this process has off Google Cloud: those of application default credentials, or of a cluster's service
// account, whose JWT a workload identity pool takes. Either may impersonate a Google service account.
import { homedir } from 'node:os';
import { type ApplicationDefault, applicationDefault } from '../adapters/google/application-default.ts';
import { federatedTokens } from '../adapters/google/federated-tokens.ts';
import { impersonatedTokens } from '../adapters/google/impersonated-tokens.ts';
import { metadataServer } from '../adapters/google/metadata-server.ts';
import { serviceAccountTokens } from '../adapters/kubernetes/service-account-tokens.ts';
import { systemClock } from '../async/system-clock.ts';
import type { Config } from '../config/options.ts';
import { Mk8sError } from '../model/errors.ts';
import type { TokenSource } from '../ports/token-source.ts';
import { keepTokens } from '../tokens/kept-tokens.ts';
import { type ClusterPlace, clusterPlace } from './cluster-place.ts';
import type { Context } from './context.ts';
import { type GoogleHosts, hostsOf } from './google-hosts.ts';
import { clusterStandsForUs } from './google-means.ts';

export interface GoogleIdentity {
  readonly tokens: TokenSource;
  /** Identity tokens for services of our own: a cluster's service account shows its JWT as it is, for it has no Google one. */
  readonly caller: TokenSource;
  /** Email of the service account, or `POOL.svc.id.goog`; undefined where the credentials do not say. */
  email(): Promise<string | undefined>;
  projectId(): Promise<string | undefined>;
  /** The cluster whose identity it is, as far as its name tells. */
  readonly place: ClusterPlace;
  close(): Promise<void>;
}

const surroundings = { now: () => systemClock.now() };
const keep = (source: TokenSource): TokenSource => keepTokens(source, { clock: systemClock, random: Math.random });

/** A Kubernetes service account that stands for this process. */
interface Account {
  /** Default: the context's. */
  readonly namespace?: string;
  readonly name: string;
}

/**
 * `account`: instead of the configured one. `cluster`: where that account is; default the default cluster.
 * Throws Mk8sError `config`.
 */
export async function openGoogleIdentity(
  config: Config,
  context: Context,
  { cluster, account = configured(config) }: { readonly cluster?: string; readonly account?: Account } = {},
): Promise<GoogleIdentity> {
  const hosts = hostsOf(context.env);
  const { impersonate } = config.google;
  const own =
    account === undefined
      ? ((await ofClusterAlone(config, context, cluster)) ??
        ofApplicationDefault(config, applicationDefault(surroundings)))
      : await ofCluster(account, cluster, config, context, hosts);
  if (impersonate === undefined) return own;
  const tokens = actingAs(impersonate, own.tokens, hosts);
  return { ...own, tokens, caller: tokens, email: () => Promise.resolve(impersonate) };
}

function configured({ google }: Config): Account | undefined {
  const [namespace, name] = google.kubernetesServiceAccount?.split('/') ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

/** The tokens of a Google service account that `by` may impersonate. */
export function actingAs(email: string, by: TokenSource, { credentials }: GoogleHosts): TokenSource {
  const url = credentials === undefined ? {} : { url: credentials };
  return keep(impersonatedTokens({ by, serviceAccount: email, ...surroundings, ...url }));
}

/** Undefined where there is anything else, or no cluster. */
async function ofClusterAlone(
  config: Config,
  context: Context,
  cluster: string | undefined,
): Promise<GoogleIdentity | undefined> {
  const { env } = context;
  let opened: Promise<GoogleIdentity | undefined> | undefined;
  const open = (): Promise<GoogleIdentity | undefined> =>
    (opened ??= import('./cluster-identity.ts').then((it) => it.clusterIdentity(cluster, config, context)));
  const hasCluster = async (): Promise<boolean> => (await open()) !== undefined;
  const metadata = metadataServer(surroundings);
  const folder = env['HOME'] ?? homedir();
  const own = (await clusterStandsForUs(config, { env, folder, metadata, hasCluster })) ? await open() : undefined;
  return own === undefined ? undefined : { ...own, tokens: keep(own.tokens), caller: keep(own.caller) };
}

/** These are the metadata server's on Google Cloud, where nothing else is set up. */
function ofApplicationDefault(config: Config, credentials: ApplicationDefault): GoogleIdentity {
  const [project] = config.google.projects;
  const tokens = keep(credentials);
  return {
    tokens,
    caller: tokens,
    email: () => credentials.email(),
    projectId: () => (project === undefined ? credentials.projectId() : Promise.resolve(project)),
    place: {},
    close: () => Promise.resolve(),
  };
}

async function ofCluster(
  { namespace, name }: Account,
  cluster: string | undefined,
  config: Config,
  context: Context,
  hosts: GoogleHosts,
): Promise<GoogleIdentity> {
  // Not loaded where Google's own credentials are enough: it is most of what there is to load.
  const { findCluster } = await import('./find-cluster.ts');
  const found = await findCluster(cluster, config, context);
  const { candidate } = found;
  const api = candidate.connect();
  const place = clusterPlace(candidate);
  const project = config.google.projects[0] ?? place.project;
  // The cluster's own project, whatever other projects are looked into.
  const pool = config.google.pool ?? (place.project === undefined ? undefined : `${place.project}.svc.id.goog`);
  if (pool === undefined) {
    await api.close();
    await found.close();
    throw new Mk8sError(
      `Cannot tell which workload identity pool trusts cluster "${candidate.name}": it is neither named as a GKE cluster (gke_PROJECT_LOCATION_NAME) nor as a fleet membership (connectgateway_PROJECT_LOCATION_NAME). Name the pool by --google-pool, and what it calls the cluster by --google-provider`,
      { code: 'config' },
    );
  }
  const provider = config.google.provider ?? (pool.endsWith('.svc.id.goog') ? place.provider : undefined);
  const subject = serviceAccountTokens(
    { api, name: candidate.name },
    { namespace: namespace ?? candidate.namespace, name },
  );
  const tokens = keep(
    federatedTokens({
      subject,
      pool,
      ...(provider === undefined ? {} : { provider }),
      ...(hosts.sts === undefined ? {} : { url: hosts.sts }),
      ...surroundings,
    }),
  );
  return {
    tokens,
    caller: keep(subject),
    email: () => Promise.resolve(pool.endsWith('.svc.id.goog') ? pool : undefined),
    projectId: () => Promise.resolve(project),
    place,
    async close() {
      await api.close();
      await found.close();
    },
  };
}

// Whose Google tokens this process has: the one place that chooses, for the run, the functions and the commands alike.
import { applicationDefault, hasApplicationDefault } from '../adapters/google/application-default.ts';
import { impersonatedTokens } from '../adapters/google/impersonated-tokens.ts';
import { type MetadataServer, metadataServer, type Surroundings } from '../adapters/google/metadata-server.ts';
import { systemClock } from '../async/system-clock.ts';
import type { Config } from '../config/options.ts';
import type { GkeName } from '../model/gke-name.ts';
import type { TokenSource } from '../ports/token-source.ts';
import { keepTokens } from '../tokens/kept-tokens.ts';
import type { Context } from './context.ts';
import { type Account, type BootstrapOptions, bootstrapFrom } from './google-bootstrap.ts';
import { type GoogleHosts, hostsOf } from './google-hosts.ts';
import { currentHome, type Home } from './home-cluster.ts';
import { kubeconfigLocation } from './kubeconfig-location.ts';

export interface GoogleIdentity {
  readonly tokens: TokenSource;
  /** Identity tokens for services of our own: a cluster's service account shows its JWT as it is, for it has no Google one. */
  readonly caller: TokenSource;
  /** Email of the service account, or `POOL.svc.id.goog`; undefined where the credentials do not say. */
  email(): Promise<string | undefined>;
  /** The project that goes with it; undefined where the credentials name none. */
  readonly projectId: () => Promise<string | undefined>;
  /** Where the cluster is whose service account it is, as far as its name tells; empty for other identities. */
  place(): Promise<Partial<GkeName>>;
  /** What the metadata server says of this process, where its tokens are used. */
  readonly surroundings: Surroundings | undefined;
  close(): Promise<void>;
}

export interface IdentityOptions {
  /** Instead of the configured one. */
  readonly account?: Account;
  /** The cluster whose account it is, because somebody named it. Default: the current context's, or the pod's, where nothing else is there. */
  readonly home?: Home;
}

/**
 * The first of these that there is, and where `google.impersonate` names one, a service account of Google's that it may impersonate:
 *
 * 1. a service account of a cluster, where one of the two is named;
 * 2. application default credentials that somebody set up (GOOGLE_APPLICATION_CREDENTIALS, gcloud's file);
 * 3. the metadata server's service account;
 * 4. a service account of the home cluster.
 *
 * 2 comes before 3 as for all of Google's libraries, and because off Google Cloud it takes up to 3 s to find that there is no
 * metadata server. Source: https://cloud.google.com/docs/authentication/application-default-credentials
 */
export async function openGoogleIdentity(
  config: Config,
  { env }: Pick<Context, 'env'>,
  { account = configured(config), home: named }: IdentityOptions = {},
): Promise<GoogleIdentity> {
  const { google } = config;
  const hosts = hostsOf(env);
  const bootstrap = { account, home: named ?? currentHome(config, env), google, sts: hosts.sts };
  const isNamed = account !== undefined || named !== undefined;
  const own = isNamed ? ofCluster(bootstrap, env) : await whatThereIs(bootstrap, config, env);
  if (google.impersonate === undefined) return own;
  const email = google.impersonate;
  const tokens = actingAs(email, own.tokens, hosts);
  return { ...own, tokens, caller: tokens, email: () => Promise.resolve(email) };
}

/** The tokens of a Google service account that `by` may impersonate. */
export function actingAs(email: string, by: TokenSource, { credentials }: GoogleHosts): TokenSource {
  const url = credentials === undefined ? {} : { url: credentials };
  return keep(impersonatedTokens({ by, serviceAccount: email, ...url }));
}

function configured({ google }: Config): Account | undefined {
  const [namespace, name] = google.kubernetesServiceAccount?.split('/') ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

async function whatThereIs(
  bootstrap: BootstrapOptions,
  config: Config,
  env: NodeJS.ProcessEnv,
): Promise<GoogleIdentity> {
  if (await hasApplicationDefault(env, kubeconfigLocation(config, env).home)) return ofApplicationDefault();
  const server = metadataServer({ now });
  if (await server.isAvailable()) return await ofMetadataServer(server);
  // With no cluster either, the advice on application default credentials is the one that helps.
  return (await bootstrap.home.find()) === undefined ? ofApplicationDefault() : ofCluster(bootstrap, env);
}

function ofApplicationDefault(): GoogleIdentity {
  const credentials = applicationDefault({ now });
  const tokens = keep(credentials);
  return {
    ...nowhere,
    tokens,
    caller: tokens,
    email: () => credentials.email(),
    projectId: () => credentials.projectId(),
  };
}

async function ofMetadataServer(server: MetadataServer): Promise<GoogleIdentity> {
  // Where it does not say, the first token or the current project will be what fails, and tell why.
  const surroundings = await server.surroundings().catch(() => undefined);
  const tokens = keep(metadataServer({ now, account: surroundings?.serviceAccount }));
  const said = async (): Promise<Surroundings> => surroundings ?? (await server.surroundings());
  return {
    ...nowhere,
    tokens,
    caller: tokens,
    email: async () => (await said()).serviceAccount,
    projectId: async () => (await said()).projectId,
    surroundings,
  };
}

function ofCluster(options: BootstrapOptions, env: NodeJS.ProcessEnv): GoogleIdentity {
  const { tokens, jwts, project, ...rest } = bootstrapFrom(options);
  return {
    ...rest,
    tokens: keep(tokens),
    caller: keep(jwts),
    projectId: async () => env['GOOGLE_CLOUD_PROJECT'] || (await project()),
    surroundings: undefined,
  };
}

/** What identities have that are no cluster's and no machine's. */
const nowhere = {
  place: () => Promise.resolve({}),
  surroundings: undefined,
  close: () => Promise.resolve(),
};

function now(): number {
  return systemClock.now();
}

function keep(source: TokenSource): TokenSource {
  return keepTokens(source, { clock: systemClock, random: Math.random });
}

// Google Cloud, composed: whose tokens, which projects, and the sources that need both. Imported libraries stay unimported until
// a source asks (Google's are most of the weight).
import { applicationDefault } from '../adapters/google/application-default.ts';
import { fleetSource } from '../adapters/google/fleet-source.ts';
import { gkeClusters } from '../adapters/google/gke-clusters.ts';
import { type GoogleEndpoint, gkeSource } from '../adapters/google/gke-source.ts';
import { explainedApiServer } from '../adapters/google/google-api-server.ts';
import { gatewayProject } from '../adapters/google/google-hosts.ts';
import { googleGet } from '../adapters/google/google-request.ts';
import { hubMemberships } from '../adapters/google/hub-memberships.ts';
import { impersonatedTokens } from '../adapters/google/impersonated-tokens.ts';
import { type MetadataServer, metadataServer, type Surroundings } from '../adapters/google/metadata-server.ts';
import { CLUSTER_SCOPES } from '../adapters/google/scopes.ts';
import type { KubeconfigLocation } from '../adapters/kubernetes/kubeconfig-load.ts';
import { tokenCredentials } from '../adapters/kubernetes/token-credentials.ts';
import { openApiServer } from '../adapters/kubernetes/transport.ts';
import { systemClock } from '../async/system-clock.ts';
import type { Config } from '../config/options.ts';
import { Mk8sError } from '../model/errors.ts';
import { parseGkeName } from '../model/gke-name.ts';
import type { ApiServer } from '../ports/api-server.ts';
import type { ClusterSource } from '../ports/cluster-source.ts';
import type { TokenSource } from '../ports/token-source.ts';
import { keepTokens } from '../tokens/kept-tokens.ts';
import type { Context } from './context.ts';
import { bootstrapFrom, type FindHome } from './google-bootstrap.ts';
import { type GoogleHosts, hostsOf } from './google-hosts.ts';
import { clusterStandsForUs } from './google-means.ts';
import { currentCluster, kubeconfigLocation } from './kubeconfig-location.ts';

export interface GoogleSources {
  readonly sources: readonly ClusterSource[];
  /** Where this process runs, as the metadata server says. */
  readonly region: string | undefined;
  /** A cluster by the way that somebody else named, with the same tokens. */
  open(endpoint: GoogleEndpoint): ApiServer;
  close(): Promise<void>;
}

export function isGoogles(source: string): boolean {
  return source === 'gke' || source === 'fleet' || isOneCluster(source);
}

function isOneCluster(source: string): boolean {
  return source.startsWith('gke://') || source.startsWith('https://');
}

/** The gke source before the fleet's: where both lead to a cluster, the direct way is taken. */
export async function openGoogleSources(config: Config, { env }: Context): Promise<GoogleSources> {
  const hosts = hostsOf(env);
  const identity = await identityOf(config, hosts, env);
  const { tokens, place } = identity;
  const projects = async (): Promise<readonly string[]> =>
    config.google.projects.length > 0 ? config.google.projects : [await identity.project()];
  const opener =
    (api: string, role: string) =>
    ({ name, server, ca, project: owner }: GoogleEndpoint): ApiServer => {
      const credentials = tokenCredentials(tokens, { kind: 'access', scopes: CLUSTER_SCOPES });
      const direct = openApiServer({
        name,
        server,
        credentials,
        ...(ca === undefined ? {} : { tls: { ca: { pem: ca } } }),
      });
      return explainedApiServer(direct, { api, role, project: owner }, tokens);
    };
  const byEndpoint = opener('container', 'container.clusterViewer');
  const byGateway = opener('connectgateway', 'gkehub.gatewayReader');
  const only = config.source.filter(isOneCluster).map(parseGkeName);
  const clusters = gkeClusters({ tokens, ...(hosts.container === undefined ? {} : { url: hosts.container }) });
  const gke = { clusters, projects, endpoints: config.gke.endpoints, open: byEndpoint };
  const hub = hubMemberships({
    get: googleGet(tokens),
    numbers: new Map(place === undefined ? [] : [[place.projectId, place.projectNumber]]),
    ...(hosts.hub === undefined ? {} : { hubUrl: hosts.hub }),
    ...(hosts.resourceManager === undefined ? {} : { resourceManagerUrl: hosts.resourceManager }),
  });
  const gateway = hosts.gateway === undefined ? {} : { gatewayUrl: hosts.gateway };
  return {
    sources: [
      ...(config.source.includes('gke') ? [gkeSource(gke)] : []),
      ...(only.length > 0 ? [gkeSource({ ...gke, only })] : []),
      ...(config.source.includes('fleet') ? [fleetSource({ hub, projects, open: byGateway, ...gateway })] : []),
    ],
    region: place?.region,
    open: (endpoint) => (gatewayProject(endpoint.server) === undefined ? byEndpoint : byGateway)(endpoint),
    close: async () => void (await Promise.all([clusters.close(), identity.close()])),
  };
}

/** Whose tokens, for what is no source. */
export function googleTokens(
  config: Config,
  { env }: Pick<Context, 'env'>,
): Promise<Pick<GoogleIdentity, 'tokens' | 'close'>> {
  return identityOf(config, hostsOf(env), env);
}

interface GoogleIdentity {
  readonly tokens: TokenSource;
  /** The project to look into where none is named. */
  readonly project: () => Promise<string>;
  /** What the metadata server says of this process, where its tokens are used. */
  readonly place: Surroundings | undefined;
  close(): Promise<void>;
}

/**
 * Whose tokens: the metadata server's where there is one, else application default credentials, else those of a service
 * account of the current context's cluster (or the pod's), which may also be named. Impersonation comes on top of either.
 */
async function identityOf(config: Config, hosts: GoogleHosts, env: NodeJS.ProcessEnv): Promise<GoogleIdentity> {
  const location = kubeconfigLocation(config, env);
  const home: FindHome = (signal) => currentCluster(location, signal);
  const now = (): number => systemClock.now();
  const metadata = metadataServer({ now });
  const adc = applicationDefault({ now });
  const cluster = bootstrapFrom(home, config, hosts.sts);
  const own = await whichIdentity(config, location, home, metadata);
  // Where it does not say, the first token or the current project will be what fails, and tell why.
  const place = own === 'metadata' ? await metadata.surroundings().catch(() => undefined) : undefined;
  const sources = {
    metadata: metadataServer({ now, account: place?.serviceAccount }),
    adc,
    cluster: cluster.tokens,
  };
  const projects = {
    metadata: async () => (place ?? (await metadata.surroundings())).projectId,
    adc: () => adc.projectId(),
    cluster: async () => env['GOOGLE_CLOUD_PROJECT'] || (await cluster.project()),
  };
  const tokens = keep(sources[own]);
  const { impersonate } = config.google;
  const url = hosts.credentials === undefined ? {} : { url: hosts.credentials };
  return {
    tokens:
      impersonate === undefined
        ? tokens
        : keep(impersonatedTokens({ by: tokens, serviceAccount: impersonate, ...url })),
    place,
    close: () => cluster.close(),
    async project() {
      const known = await projects[own]();
      if (known !== undefined && known !== '') return known;
      throw new Mk8sError(
        'Cannot tell which Google Cloud project to look into: the credentials name none. Name one with --google-projects, or set GOOGLE_CLOUD_PROJECT',
        { code: 'config' },
      );
    },
  };
}

async function whichIdentity(
  config: Config,
  { env, home: folder }: KubeconfigLocation,
  home: FindHome,
  metadata: MetadataServer,
): Promise<'metadata' | 'adc' | 'cluster'> {
  const hasCluster = async (): Promise<boolean> => (await home()) !== undefined;
  if (await clusterStandsForUs(config, { env, folder, metadata, hasCluster })) return 'cluster';
  return (await metadata.isAvailable()) ? 'metadata' : 'adc';
}

function keep(source: TokenSource): TokenSource {
  return keepTokens(source, { clock: systemClock, random: Math.random });
}

/** Where Connect Gateway was configured to be; undefined for its own hosts. */
export function gatewayOf(env: NodeJS.ProcessEnv): URL | undefined {
  return hostsOf(env).gateway;
}

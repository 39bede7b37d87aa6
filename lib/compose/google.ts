// Google Cloud, composed: whose tokens, which projects, and the sources that need both. Imported libraries stay unimported until
// a source asks (Google's are most of the weight).
import { applicationDefault } from '../adapters/google/application-default.ts';
import { fleetSource } from '../adapters/google/fleet-source.ts';
import { gkeClusters } from '../adapters/google/gke-clusters.ts';
import { parseGkeName } from '../adapters/google/gke-name.ts';
import { gkeSource } from '../adapters/google/gke-source.ts';
import { googleGet } from '../adapters/google/google-request.ts';
import { hubMemberships } from '../adapters/google/hub-memberships.ts';
import { impersonatedTokens } from '../adapters/google/impersonated-tokens.ts';
import { metadataServer } from '../adapters/google/metadata-server.ts';
import { tokenCredentials } from '../adapters/kubernetes/token-credentials.ts';
import { openApiServer } from '../adapters/kubernetes/transport.ts';
import { systemClock } from '../async/system-clock.ts';
import type { Config } from '../config/options.ts';
import { Mk8sError } from '../model/errors.ts';
import type { ApiServer } from '../ports/api-server.ts';
import type { ClusterSource } from '../ports/cluster-source.ts';
import type { TokenSource } from '../ports/token-source.ts';
import { keepTokens } from '../tokens/kept-tokens.ts';
import type { Context } from './context.ts';

/** Where Google's APIs are; for tests and private endpoints. Undefined: their own hosts. */
interface GoogleHosts {
  readonly container?: URL;
  readonly hub?: URL;
  readonly resourceManager?: URL;
  readonly gateway?: URL;
  readonly credentials?: string;
  readonly sts?: string;
}

interface GoogleSources {
  readonly sources: readonly ClusterSource[];
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
  const { tokens, project } = await identityOf(config, hosts);
  const projects = async (): Promise<readonly string[]> =>
    config.google.projects.length > 0 ? config.google.projects : [await project()];
  const open = ({ name, server, ca }: { name: string; server: URL; ca: string | undefined }): ApiServer =>
    openApiServer({
      name,
      server,
      credentials: tokenCredentials(tokens, { kind: 'access' }),
      ...(ca === undefined ? {} : { tls: { ca: { pem: ca } } }),
    });
  const only = config.source.filter(isOneCluster).map(parseGkeName);
  const clusters = gkeClusters({ tokens, ...(hosts.container === undefined ? {} : { url: hosts.container }) });
  const gke = { clusters, projects, endpoints: config.gke.endpoints, open };
  const hub = hubMemberships({
    get: googleGet(tokens),
    ...(hosts.hub === undefined ? {} : { hubUrl: hosts.hub }),
    ...(hosts.resourceManager === undefined ? {} : { resourceManagerUrl: hosts.resourceManager }),
  });
  const gateway = hosts.gateway === undefined ? {} : { gatewayUrl: hosts.gateway };
  return {
    sources: [
      ...(config.source.includes('gke') ? [gkeSource(gke)] : only.length > 0 ? [gkeSource({ ...gke, only })] : []),
      ...(config.source.includes('fleet') ? [fleetSource({ hub, projects, open, ...gateway })] : []),
    ],
    close: () => clusters.close(),
  };
}

/** The tokens of this process' own identity, and where Google's token services are. */
export async function openGoogleIdentity(
  config: Config,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly tokens: TokenSource; readonly credentialsUrl?: string; readonly stsUrl?: string }> {
  const hosts = hostsOf(env);
  const { tokens } = await identityOf(config, hosts);
  return {
    tokens,
    ...(hosts.credentials === undefined ? {} : { credentialsUrl: hosts.credentials }),
    ...(hosts.sts === undefined ? {} : { stsUrl: hosts.sts }),
  };
}

/** Whose tokens: the metadata server's where there is one, else application default credentials. */
async function identityOf(
  config: Config,
  hosts: GoogleHosts,
): Promise<{ tokens: TokenSource; project: () => Promise<string> }> {
  const surroundings = { now: () => systemClock.now() };
  const metadata = metadataServer(surroundings);
  const adc = applicationDefault(surroundings);
  const onGoogle = await metadata.isAvailable();
  const keep = (source: TokenSource): TokenSource => keepTokens(source, { clock: systemClock, random: Math.random });
  const own = keep(onGoogle ? metadata : adc);
  const { impersonate } = config.google;
  const url = hosts.credentials === undefined ? {} : { url: hosts.credentials };
  return {
    tokens:
      impersonate === undefined
        ? own
        : keep(impersonatedTokens({ by: own, serviceAccount: impersonate, ...surroundings, ...url })),
    async project() {
      const known = onGoogle ? (await metadata.surroundings()).projectId : await adc.projectId();
      if (known !== undefined && known !== '') return known;
      throw new Mk8sError(
        'Cannot tell which Google Cloud project to look into: the credentials name none. Name one with --google-projects, or set GOOGLE_CLOUD_PROJECT',
        { code: 'config' },
      );
    },
  };
}

/** Google's SDKs call these variables so: https://cloud.google.com/sdk/gcloud/reference/config/set (api_endpoint_overrides). */
function hostsOf(env: NodeJS.ProcessEnv): GoogleHosts {
  const url = (name: string): URL | undefined => {
    const text = env[`CLOUDSDK_API_ENDPOINT_OVERRIDES_${name}`];
    if (text === undefined || text === '') return undefined;
    if (URL.canParse(text)) return new URL(text);
    throw new Mk8sError(`CLOUDSDK_API_ENDPOINT_OVERRIDES_${name} must be a URL, not "${text}"`, { code: 'config' });
  };
  const [container, hub, resourceManager] = [url('CONTAINER'), url('GKEHUB'), url('CLOUDRESOURCEMANAGER')];
  const [gateway, credentials, sts] = [url('CONNECTGATEWAY'), url('IAMCREDENTIALS'), url('STS')];
  return {
    ...(container === undefined ? {} : { container }),
    ...(hub === undefined ? {} : { hub }),
    ...(resourceManager === undefined ? {} : { resourceManager }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(credentials === undefined ? {} : { credentials: credentials.href.replace(/\/$/, '') }),
    ...(sts === undefined ? {} : { sts: new URL('/v1/token', sts).href }),
  };
}

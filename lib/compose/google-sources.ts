// The sources of Google Cloud, composed: which projects, and with whose tokens. Imported libraries stay unimported until a source
// asks (Google's are most of the weight).
import { fleetSource } from '../adapters/google/fleet-source.ts';
import { gkeClusters } from '../adapters/google/gke-clusters.ts';
import { type GoogleEndpoint, gkeSource } from '../adapters/google/gke-source.ts';
import { explainedApiServer } from '../adapters/google/google-api-server.ts';
import { gatewayProject } from '../adapters/google/google-hosts.ts';
import { googleGet } from '../adapters/google/google-request.ts';
import { hubMemberships } from '../adapters/google/hub-memberships.ts';
import { CLUSTER_SCOPES } from '../adapters/google-api/scopes.ts';
import { tokenCredentials } from '../adapters/kubernetes/token-credentials.ts';
import { openApiServer } from '../adapters/kubernetes/transport.ts';
import type { Config } from '../config/options.ts';
import { Mk8sError } from '../model/errors.ts';
import { parseGkeName } from '../model/gke-name.ts';
import type { ApiServer } from '../ports/api-server.ts';
import type { ClusterSource } from '../ports/cluster-source.ts';
import type { Context } from './context.ts';
import { hostsOf } from './google-hosts.ts';
import type { GoogleIdentity } from './google-identity.ts';

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

/** The gke source before the fleet's: where both lead to a cluster, the direct way is taken. `close` leaves the identity open. */
export function openGoogleSources(
  config: Config,
  { env }: Pick<Context, 'env'>,
  { tokens, surroundings, projectId }: GoogleIdentity,
): GoogleSources {
  const hosts = hostsOf(env);
  const projects = async (): Promise<readonly string[]> =>
    config.google.projects.length > 0 ? config.google.projects : [known(await projectId())];
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
    numbers: new Map(surroundings === undefined ? [] : [[surroundings.projectId, surroundings.projectNumber]]),
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
    region: surroundings?.region,
    open: (endpoint) => (gatewayProject(endpoint.server) === undefined ? byEndpoint : byGateway)(endpoint),
    close: () => clusters.close(),
  };
}

/** Throws Mk8sError `config` where the credentials name no project. */
function known(project: string | undefined): string {
  if (project !== undefined && project !== '') return project;
  throw new Mk8sError(
    'Cannot tell which Google Cloud project to look into: the credentials name none. Name one with --google-projects, or set GOOGLE_CLOUD_PROJECT',
    { code: 'config' },
  );
}

/** Where Connect Gateway was configured to be; undefined for its own hosts. */
export function gatewayOf(env: NodeJS.ProcessEnv): URL | undefined {
  return hostsOf(env).gateway;
}

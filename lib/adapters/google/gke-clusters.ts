// The GKE clusters of a project, every location in one request.
// Source: https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters/list
import type { TokenSource } from '../../ports/token-source.ts';
import { withAccessToken } from './google-request.ts';

type ContainerLibrary = typeof import('@google-cloud/container');
type AuthLibrary = typeof import('google-auth-library');
type ManagerClient = InstanceType<ContainerLibrary['ClusterManagerClient']>;
type AuthClient = InstanceType<AuthLibrary['OAuth2Client']>;

const TIMEOUT_MS = 30_000;

/** What is needed of a cluster, as GKE says it. */
export interface GkeCluster {
  readonly project: string;
  /** A region or a zone. */
  readonly location: string;
  readonly name: string;
  /** `RUNNING`, `PROVISIONING`, `RECONCILING`, `STOPPING`, `ERROR`, `DEGRADED`. */
  readonly status: string;
  readonly statusMessage: string;
  readonly labels: Readonly<Record<string, string>>;
  /** PEM of the CA that signed the certificate of its IP endpoints; '' where GKE gave none. */
  readonly ca: string;
  /** Host names or addresses, '' for what it does not have. */
  readonly endpoints: { readonly dns: string; readonly public: string; readonly private: string };
  /** `projects/P/locations/L/memberships/M` in its fleet, '' for none. */
  readonly membership: string;
}

export interface GkeClusters {
  /**
   * Throws Mk8sError `http` (API not enabled, permission denied, unknown project) or `unreachable`, in a sentence
   * with the command that helps. `missing`: locations that did not answer; their clusters may exist.
   */
  list(project: string): Promise<{ readonly clusters: readonly GkeCluster[]; readonly missing: readonly string[] }>;
  close(): Promise<void>;
}

export interface GkeClustersOptions {
  readonly tokens: TokenSource;
  /** Default `https://container.googleapis.com`. */
  readonly url?: URL;
}

/** The library is imported at the first use: 450 ms and 60 MB, which nobody pays who has no GKE source. */
export function gkeClusters({ tokens, url }: GkeClustersOptions): GkeClusters {
  let opened: Promise<{ readonly manager: ManagerClient; readonly auth: AuthClient }> | undefined;

  async function open(): Promise<{ manager: ManagerClient; auth: AuthClient }> {
    const [{ ClusterManagerClient }, { OAuth2Client }] = await Promise.all([
      import('@google-cloud/container'),
      import('google-auth-library'),
    ]);
    const place =
      url === undefined
        ? {}
        : { apiEndpoint: url.hostname, port: Number(url.port), protocol: url.protocol.replace(':', '') };
    const auth = new OAuth2Client();
    // REST instead of gRPC: one list a minute is not worth a second protocol.
    return { manager: new ClusterManagerClient({ fallback: true, authClient: auth, ...place }), auth };
  }

  return {
    async list(project) {
      opened ??= open();
      const { manager, auth } = await opened;
      async function ask(token: string) {
        auth.setCredentials({ access_token: token });
        // `retry: null`: discovery comes back by itself, and says meanwhile what is wrong.
        const [answer] = await manager.listClusters(
          { parent: `projects/${project}/locations/-` },
          { retry: null, timeout: TIMEOUT_MS },
        );
        return answer;
      }
      const answer = await withAccessToken(tokens, ask, {
        attempted: `list the GKE clusters of project ${project}`,
        api: 'container',
        role: 'container.clusterViewer',
        project,
      });
      const clusters = (answer.clusters ?? []).map((cluster) => clusterOf(project, cluster));
      return { clusters, missing: answer.missingZones ?? [] };
    },
    async close() {
      await (await opened)?.manager.close();
    },
  };
}

/** The part of GKE's answer that is read; everything may be missing. */
interface Answer {
  readonly name?: string | null;
  readonly location?: string | null;
  readonly status?: string | number | null;
  readonly statusMessage?: string | null;
  readonly resourceLabels?: Readonly<Record<string, string>> | null;
  readonly endpoint?: string | null;
  readonly masterAuth?: { readonly clusterCaCertificate?: string | null } | null;
  readonly privateClusterConfig?: {
    readonly privateEndpoint?: string | null;
    readonly publicEndpoint?: string | null;
    readonly enablePrivateEndpoint?: boolean | null;
  } | null;
  readonly controlPlaneEndpointsConfig?: {
    readonly dnsEndpointConfig?: {
      readonly endpoint?: string | null;
      readonly allowExternalTraffic?: boolean | null;
    } | null;
    readonly ipEndpointsConfig?: {
      readonly enabled?: boolean | null;
      readonly enablePublicEndpoint?: boolean | null;
      readonly publicEndpoint?: string | null;
      readonly privateEndpoint?: string | null;
    } | null;
  } | null;
  readonly fleet?: { readonly membership?: string | null } | null;
}

function clusterOf(project: string, answer: Answer): GkeCluster {
  return {
    project,
    location: answer.location ?? '',
    name: answer.name ?? '',
    status: String(answer.status ?? 'STATUS_UNSPECIFIED'),
    statusMessage: answer.statusMessage ?? '',
    labels: answer.resourceLabels ?? {},
    ca: Buffer.from(answer.masterAuth?.clusterCaCertificate ?? '', 'base64').toString('utf8'),
    endpoints: endpointsOf(answer),
    membership: (answer.fleet?.membership ?? '').replace(/^\/\/gkehub\.googleapis\.com\//, ''),
  };
}

/** Old clusters say it in `privateClusterConfig`, new ones in `controlPlaneEndpointsConfig`; `endpoint` is either's IP. */
function endpointsOf({ endpoint, privateClusterConfig, controlPlaneEndpointsConfig }: Answer): GkeCluster['endpoints'] {
  const ip = controlPlaneEndpointsConfig?.ipEndpointsConfig;
  const dns = controlPlaneEndpointsConfig?.dnsEndpointConfig;
  const byIp = ip?.enabled !== false;
  const privateAddress = ip?.privateEndpoint ?? privateClusterConfig?.privateEndpoint ?? '';
  const publicOff = ip?.enablePublicEndpoint === false || privateClusterConfig?.enablePrivateEndpoint === true;
  const publicAddress = ip?.publicEndpoint ?? privateClusterConfig?.publicEndpoint ?? endpoint ?? '';
  return {
    // Every cluster has the name; without this setting it answers Google's own services only.
    dns: dns?.allowExternalTraffic === true ? (dns.endpoint ?? '') : '',
    public: byIp && !publicOff && publicAddress !== privateAddress ? publicAddress : '',
    private: byIp ? privateAddress : '',
  };
}

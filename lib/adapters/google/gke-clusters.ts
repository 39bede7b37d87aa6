// The GKE clusters of a project, every location in one request.
// Source: https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters/list
import type { TokenSource } from '../../ports/token-source.ts';
import { authClient } from './auth-client.ts';
import { googleError } from './google-error.ts';

type ContainerLibrary = typeof import('@google-cloud/container');

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
  let opened: Promise<InstanceType<ContainerLibrary['ClusterManagerClient']>> | undefined;

  async function open(): Promise<InstanceType<ContainerLibrary['ClusterManagerClient']>> {
    const [{ ClusterManagerClient }, auth] = await Promise.all([
      import('@google-cloud/container'),
      import('google-auth-library'),
    ]);
    const place =
      url === undefined
        ? {}
        : { apiEndpoint: url.hostname, port: Number(url.port), protocol: url.protocol.replace(':', '') };
    // REST instead of gRPC: one list a minute is not worth a second protocol.
    return new ClusterManagerClient({ fallback: true, authClient: authClient(auth, tokens), ...place });
  }

  return {
    async list(project) {
      try {
        opened ??= open();
        const client = await opened;
        // `retry: null`: discovery comes back by itself, and says meanwhile what is wrong.
        const [answer] = await client.listClusters(
          { parent: `projects/${project}/locations/-` },
          { retry: null, timeout: TIMEOUT_MS },
        );
        const clusters = (answer.clusters ?? []).map((cluster) => clusterOf(project, cluster));
        return { clusters, missing: answer.missingZones ?? [] };
      } catch (error) {
        throw googleError(error, {
          attempted: `list the GKE clusters of project ${project}`,
          identity: tokens.identity,
          code: 'http',
          advice: ({ status, reason }) => listAdvice(project, status, reason),
        });
      }
    },
    async close() {
      await (await opened)?.close();
    },
  };
}

function listAdvice(project: string, status: number | undefined, reason: string | undefined): string | undefined {
  if (reason === 'SERVICE_DISABLED')
    return `Enable it: gcloud services enable container.googleapis.com --project ${project}`;
  if (status === 403) {
    return `Grant it: gcloud projects add-iam-policy-binding ${project} --role roles/container.clusterViewer --member PRINCIPAL`;
  }
  return status === 404 ? 'Check the project id' : undefined;
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
    dns: dns?.endpoint ?? '',
    public: byIp && !publicOff && publicAddress !== privateAddress ? publicAddress : '',
    private: byIp ? privateAddress : '',
  };
}

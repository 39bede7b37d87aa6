// The client of the HTTP functions. Generated from their description by tools/client/generate.ts: change that, or lib/functions, and
// run `npm run build:client`.

export interface Problem {
  readonly type: 'https://mk8s.dev/problems/unauthenticated' | 'https://mk8s.dev/problems/denied' | 'https://mk8s.dev/problems/not-found' | 'https://mk8s.dev/problems/cluster-not-found' | 'https://mk8s.dev/problems/ambiguous-cluster' | 'https://mk8s.dev/problems/ambiguous-service-account' | 'https://mk8s.dev/problems/invalid-request' | 'https://mk8s.dev/problems/method-not-allowed' | 'https://mk8s.dev/problems/not-acceptable' | 'https://mk8s.dev/problems/request-timeout' | 'https://mk8s.dev/problems/too-large' | 'https://mk8s.dev/problems/uri-too-long' | 'https://mk8s.dev/problems/unsupported-media-type' | 'https://mk8s.dev/problems/headers-too-large' | 'https://mk8s.dev/problems/too-many-requests' | 'https://mk8s.dev/problems/upstream' | 'https://mk8s.dev/problems/unavailable' | 'https://mk8s.dev/problems/internal';
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly instance: string;
  readonly [name: string]: unknown;
}

export interface ClusterList {
  readonly clusters: readonly {
    /** Stable and unique; absent while the cluster has not been reached. */
    readonly id?: string;
    readonly name: string;
    readonly aliases: readonly string[];
    readonly sources: readonly string[];
    /** URL of the API server. */
    readonly server: string;
    /** Default namespace of its context. */
    readonly namespace: string;
    readonly isDefault: boolean;
    readonly version?: string;
    /** Why it could not be reached. */
    readonly error?: string;
    readonly project?: string;
    readonly location?: string;
    readonly state?: string;
    readonly labels?: {
      readonly [name: string]: string;
    };
  }[];
  /** Of the next page; absent at the end. */
  readonly continue?: string;
  /** RFC 3339. */
  readonly asOf: string;
}

export interface ClusterProfileList {
  readonly apiVersion: 'multicluster.x-k8s.io/v1alpha1';
  readonly kind: 'ClusterProfileList';
  readonly items: readonly {
    readonly apiVersion: 'multicluster.x-k8s.io/v1alpha1';
    readonly kind: 'ClusterProfile';
    readonly [name: string]: unknown;
  }[];
  readonly [name: string]: unknown;
}

export interface Cluster {
  /** Stable and unique; absent while the cluster has not been reached. */
  readonly id?: string;
  readonly name: string;
  readonly aliases: readonly string[];
  readonly sources: readonly string[];
  /** URL of the API server. */
  readonly server: string;
  /** Default namespace of its context. */
  readonly namespace: string;
  readonly isDefault: boolean;
  readonly version?: string;
  /** Why it could not be reached. */
  readonly error?: string;
  readonly project?: string;
  readonly location?: string;
  readonly state?: string;
  readonly labels?: {
    readonly [name: string]: string;
  };
}

export interface ClusterProfile {
  readonly apiVersion: 'multicluster.x-k8s.io/v1alpha1';
  readonly kind: 'ClusterProfile';
  readonly [name: string]: unknown;
}

export interface Streams {
  /** Whether a run writes just now. */
  readonly alive: boolean;
  readonly run: {
    readonly run: string;
    readonly startedAt: number;
    readonly updatedAt: number;
    readonly running: boolean;
    readonly [name: string]: unknown;
  } | null;
  readonly streams: readonly {
    readonly key: string;
    readonly cluster: string;
    /** PLURAL.GROUP. */
    readonly resource: string;
    readonly clusterName: string;
    readonly state: 'starting' | 'syncing' | 'watching' | 'retrying' | 'blocked' | 'parked' | 'stopped' | 'ended';
    readonly epoch: number;
    readonly resourceVersion: string;
    readonly recorded: number;
    readonly published: number;
    readonly objects: number;
    readonly currentAt: number;
    readonly lastBookmarkAt: number;
    readonly gaps: number;
    readonly lastGapAt: number;
    readonly updatedAt: number;
    readonly error?: string;
    readonly lagSeconds: number | null;
    readonly [name: string]: unknown;
  }[];
}

export interface Kubeconfig {
  readonly apiVersion: 'v1';
  readonly kind: 'Config';
  readonly clusters: readonly {
    readonly name: string;
    readonly [name: string]: unknown;
  }[];
  readonly users: readonly {
    readonly name: string;
    readonly [name: string]: unknown;
  }[];
  readonly contexts: readonly {
    readonly name: string;
    readonly [name: string]: unknown;
  }[];
  readonly [name: string]: unknown;
}

export interface TokenRequest {
  readonly apiVersion: 'authentication.k8s.io/v1';
  readonly kind: 'TokenRequest';
  readonly spec: {
    readonly audiences: readonly string[];
    readonly expirationSeconds: number;
  };
  readonly status: {
    readonly token: string;
    /** RFC 3339. */
    readonly expirationTimestamp: string;
  };
}

export interface RequestServiceAccountTokenBody {
  readonly apiVersion: 'authentication.k8s.io/v1';
  readonly kind: 'TokenRequest';
  readonly spec?: {
    readonly audiences?: readonly string[];
    readonly expirationSeconds?: number;
  };
}

export interface ExecCredential {
  readonly apiVersion: 'client.authentication.k8s.io/v1';
  readonly kind: 'ExecCredential';
  readonly status: {
    readonly token: string;
    /** RFC 3339. */
    readonly expirationTimestamp: string;
  };
}

export interface ExchangedToken {
  readonly access_token: string;
  readonly issued_token_type: string;
  readonly token_type: 'Bearer' | 'N_A';
  readonly expires_in: number;
  readonly scope?: string;
}

export interface ExchangeTokenBody {
  readonly grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange';
  readonly subject_token: string;
  readonly subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' | 'urn:ietf:params:oauth:token-type:jwt';
  readonly requested_token_type?: 'urn:ietf:params:oauth:token-type:access_token' | 'urn:ietf:params:oauth:token-type:id_token';
  /** Whose token. */
  readonly resource: string;
  readonly scope?: string;
  readonly audience?: string;
}

export interface Health {
  readonly status: 'ok';
}

export interface Description {
  readonly openapi: string;
  readonly paths: {
    readonly [name: string]: unknown;
  };
  readonly [name: string]: unknown;
}

/** One method for each operation. Each throws ProblemError for an answer that is a problem. */
export interface FunctionsClient {
  /** The clusters that the caller may know of. (GET /v1/clusters) */
  listClusters(
    input?: {
      readonly query?: {
        /** Only clusters that this source found. */
        readonly source?: string;
        /** Only clusters of this Google Cloud project. */
        readonly project?: string;
        /** Only clusters in this region or zone. */
        readonly location?: string;
        /** Only clusters of which the platform says this. */
        readonly state?: string;
        /** KEY=VALUE, or KEY for any value; all must hold. */
        readonly label?: readonly string[];
        /** 1 to 500; default 100. */
        readonly limit?: string;
        /** From the answer before. */
        readonly continue?: string;
        /** Read the sources anew; for callers who were granted it. */
        readonly refresh?: 'true' | 'false';
      };
    },
    options?: CallOptions,
  ): Promise<ClusterList>;
  /** One cluster, by id or name. (GET /v1/clusters/{cluster}) */
  getCluster(
    input: {
      readonly path: {
        /** A cluster’s id or one of its names. */
        readonly cluster: string;
      };
      readonly query?: {
        /** Read the sources anew; for callers who were granted it. */
        readonly refresh?: 'true' | 'false';
      };
    },
    options?: CallOptions,
  ): Promise<Cluster>;
  /** How the streams of a cluster stand, as `mk8s status` shows it. (GET /v1/clusters/{cluster}/streams) */
  getStreams(
    input: {
      readonly path: {
        /** A cluster’s id or one of its names. */
        readonly cluster: string;
      };
    },
    options?: CallOptions,
  ): Promise<Streams>;
  /** A kubeconfig with one cluster. (GET /v1/clusters/{cluster}/kubeconfig) */
  getKubeconfig(
    input: {
      readonly path: {
        /** A cluster’s id or one of its names. */
        readonly cluster: string;
      };
      readonly query?: {
        /** Of the service account. */
        readonly namespace?: string;
        /** As which the user speaks; with namespace. */
        readonly serviceaccount?: string;
      };
    },
    options?: CallOptions,
  ): Promise<Kubeconfig>;
  /** A kubeconfig with every cluster that the caller may use. (GET /v1/kubeconfig) */
  getKubeconfigs(
    input?: {
      readonly query?: {
        /** Only clusters that this source found. */
        readonly source?: string;
        /** Only clusters of this Google Cloud project. */
        readonly project?: string;
        /** Only clusters in this region or zone. */
        readonly location?: string;
        /** Only clusters of which the platform says this. */
        readonly state?: string;
        /** KEY=VALUE, or KEY for any value; all must hold. */
        readonly label?: readonly string[];
        /** Of the service account. */
        readonly namespace?: string;
        /** As which the user speaks; with namespace. */
        readonly serviceaccount?: string;
      };
    },
    options?: CallOptions,
  ): Promise<Kubeconfig>;
  /** A token of a Kubernetes service account, as its own TokenRequest. (POST /v1/clusters/{cluster}/namespaces/{namespace}/serviceaccounts/{serviceaccount}/token) */
  requestServiceAccountToken(
    input: {
      readonly path: {
        /** A cluster’s id or one of its names. */
        readonly cluster: string;
        readonly namespace: string;
        readonly serviceaccount: string;
      };
      readonly body: RequestServiceAccountTokenBody;
    },
    options?: CallOptions,
  ): Promise<TokenRequest>;
  /** A credential for kubectl: a token of a service account for the API server. (GET /v1/clusters/{cluster}/credential) */
  getCredential(
    input: {
      readonly path: {
        /** A cluster’s id or one of its names. */
        readonly cluster: string;
      };
      readonly query?: {
        /** Of the service account. */
        readonly namespace?: string;
        /** As which the user speaks; with namespace. */
        readonly serviceaccount?: string;
      };
    },
    options?: CallOptions,
  ): Promise<ExecCredential>;
  /** The caller’s ID token for an access or identity token of another identity (RFC 8693). (POST /v1/token) */
  exchangeToken(
    input: {
      readonly body: ExchangeTokenBody;
    },
    options?: CallOptions,
  ): Promise<ExchangedToken>;
  /** Whether the process lives. (GET /healthz) */
  getHealth(
    options?: CallOptions,
  ): Promise<Health>;
  /** Whether it can answer requests. (GET /readyz) */
  getReadiness(
    options?: CallOptions,
  ): Promise<Health>;
  /** This description. (GET /openapi.json) */
  getDescription(
    options?: CallOptions,
  ): Promise<Description>;
}

const OPERATIONS: Readonly<Record<keyof FunctionsClient, Operation>> = {
  listClusters: { method: 'GET', path: '/v1/clusters', input: true },
  getCluster: { method: 'GET', path: '/v1/clusters/{cluster}', input: true },
  getStreams: { method: 'GET', path: '/v1/clusters/{cluster}/streams', input: true },
  getKubeconfig: { method: 'GET', path: '/v1/clusters/{cluster}/kubeconfig', input: true },
  getKubeconfigs: { method: 'GET', path: '/v1/kubeconfig', input: true },
  requestServiceAccountToken: { method: 'POST', path: '/v1/clusters/{cluster}/namespaces/{namespace}/serviceaccounts/{serviceaccount}/token', media: 'application/json', input: true },
  getCredential: { method: 'GET', path: '/v1/clusters/{cluster}/credential', input: true },
  exchangeToken: { method: 'POST', path: '/v1/token', media: 'application/x-www-form-urlencoded', input: true },
  getHealth: { method: 'GET', path: '/healthz' },
  getReadiness: { method: 'GET', path: '/readyz' },
  getDescription: { method: 'GET', path: '/openapi.json' },
};

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface ClientOptions {
  /** URL of the function, without a path. */
  readonly url: string;
  /** An ID token for the function's audience; asked for at every call, so it should be kept by whoever gives it. */
  readonly token?: () => string | Promise<string>;
  /** Default: the global one. */
  readonly fetch?: typeof fetch;
}

/** An answer that is a problem (RFC 9457). */
export class ProblemError extends Error {
  readonly status: number;
  /** Stable: to be switched on. */
  readonly type: string;
  readonly problem: Problem;
  /** Seconds, where the service says when to ask again. */
  readonly retryAfter: number | undefined;

  constructor(problem: Problem, retryAfter: number | undefined) {
    super(problem.detail ?? problem.title);
    this.name = 'ProblemError';
    this.status = problem.status;
    this.type = problem.type;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly media?: string;
  /** False where the first argument of its method is the options. */
  readonly input?: boolean;
}

interface Input {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body?: object;
}

/** Behind Cloud Run's IAM, too: the token goes in both headers. Retries nothing. */
export function createClient(options: ClientOptions): FunctionsClient {
  const methods = Object.entries(OPERATIONS).map(([name, operation]) => [
    name,
    operation.input === true
      ? (input?: Input, call?: CallOptions) => send(options, operation, input, call)
      : (call?: CallOptions) => send(options, operation, undefined, call),
  ]);
  return Object.fromEntries(methods) as FunctionsClient;
}

async function send(
  { url, token, fetch: ask = fetch }: ClientOptions,
  { method, path, media }: Operation,
  input: Input = {},
  call: CallOptions = {},
): Promise<unknown> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (token !== undefined) {
    const bearer = `Bearer ${await token()}`;
    Object.assign(headers, { authorization: bearer, 'x-serverless-authorization': bearer });
  }
  if (media !== undefined) headers['content-type'] = media;
  const body = media === 'application/json' ? JSON.stringify(input.body) : form(input.body);
  const response = await ask(`${url.replace(/\/+$/, '')}${pathOf(path, input)}`, {
    method,
    headers,
    redirect: 'error',
    ...(media === undefined ? {} : { body }),
    ...(call.signal === undefined ? {} : { signal: call.signal }),
  });
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  const wait = Number(response.headers.get('retry-after') ?? Number.NaN);
  throw new ProblemError(problemIn(response, text), Number.isFinite(wait) ? wait : undefined);
}

function pathOf(template: string, { path = {}, query = {} }: Input): string {
  const filled = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of value === undefined ? [] : typeof value === 'string' ? [value] : value) search.append(name, each);
  }
  return search.size === 0 ? filled : `${filled}?${search.toString()}`;
}

function form(body: object | undefined): string {
  const fields = Object.entries(body ?? {}).filter(([, value]) => value !== undefined);
  return new URLSearchParams(fields.map(([name, value]): [string, string] => [name, String(value)])).toString();
}

/** What stands in front of the service may answer, too, and not with a problem. */
function problemIn(response: Response, text: string): Problem {
  const { status, statusText } = response;
  const plain = { type: 'about:blank' as Problem['type'], title: statusText, status, instance: response.url };
  if (!(response.headers.get('content-type') ?? '').includes('json')) return plain;
  try {
    return { ...plain, ...(JSON.parse(text) as Partial<Problem>) };
  } catch {
    return plain;
  }
}

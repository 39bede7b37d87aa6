// Every option, described once: mk8s.yaml, MK8S_* environment, flags and --help all come from this table.
// Plain data without imports at run time, so that --help is fast.
import type { KindAbsent, KindName, KindValue } from './kinds.ts';

export type CommandName =
  | 'run'
  | 'clusters'
  | 'plan'
  | 'tail'
  | 'status'
  | 'sandbox'
  | 'serve'
  | 'metadata'
  | 'credential'
  | 'token';

export interface Option {
  /** Key in mk8s.yaml; a dot is one level of nesting. The environment variable and the flag derive from it. */
  readonly key: string;
  readonly kind: KindName;
  /** As text, as a flag would give it. Without one, lists are empty and the rest is undefined. */
  readonly default?: string;
  /** Name of the value in --help; none for a boolean. */
  readonly value?: string;
  readonly help: string;
  /** Commands that take it as a flag (`takes`); all read it from file and environment. */
  readonly commands: readonly CommandName[];
  /** Where the flag is not the key in kebab case. */
  readonly flag?: string;
  /** Where one command calls the flag something else. */
  readonly flagIn?: Partial<Readonly<Record<CommandName, string>>>;
  readonly short?: string;
  /** A platform's own variable, read where MK8S_… is not set. */
  readonly platformVariable?: string;
}

export const options = [
  {
    key: 'source',
    kind: 'sources',
    default: 'auto',
    value: 'source',
    help: 'where clusters come from: auto (KUBECONFIG, else ~/.kube/config, else in-cluster), kubeconfig, in-cluster, gke, gke://PROJECT/LOCATION/NAME, fleet, istio and clusterprofile (beside another), sandbox; repeatable',
    commands: ['run', 'clusters', 'metadata', 'credential', 'token', 'serve'],
  },
  {
    key: 'kubeconfig',
    kind: 'paths',
    value: 'files',
    help: 'kubeconfig files instead of KUBECONFIG, separated as there, or repeated',
    commands: ['run', 'clusters', 'metadata', 'credential', 'token', 'serve'],
  },
  {
    key: 'google.projects',
    kind: 'projects',
    value: 'ids',
    help: 'projects of the gke and fleet sources (default: the current one)',
    commands: ['run', 'clusters', 'metadata', 'credential', 'token', 'serve'],
  },
  {
    key: 'google.impersonate',
    kind: 'text',
    value: 'account',
    help: 'reach Google, its clusters and Pub/Sub as this service account',
    commands: ['run', 'clusters', 'metadata', 'credential', 'token', 'serve'],
  },
  {
    key: 'google.kubernetesServiceAccount',
    kind: 'serviceAccount',
    value: 'account',
    help: "NAMESPACE/NAME in the default cluster whose tokens are exchanged for Google's (default: whom its credentials speak for, where there are no others for Google)",
    commands: ['run', 'clusters', 'metadata', 'credential', 'token', 'serve'],
  },
  {
    key: 'google.pool',
    kind: 'text',
    value: 'pool',
    help: 'workload identity pool that trusts the default cluster, PROJECT.svc.id.goog (default: as the cluster says)',
    commands: ['run', 'clusters', 'metadata', 'credential', 'token', 'serve'],
  },
  {
    key: 'google.provider',
    kind: 'text',
    value: 'url',
    help: 'what that pool calls the cluster, e.g. its link at container.googleapis.com (default: as the cluster says)',
    commands: ['run', 'clusters', 'metadata', 'credential', 'token', 'serve'],
  },
  {
    key: 'gke.endpoints',
    kind: 'endpoints',
    default: 'dns,public,private',
    value: 'kinds',
    help: 'which endpoint of a GKE cluster to take, the first that it has',
    commands: ['run', 'clusters', 'metadata', 'credential', 'token', 'serve'],
  },
  {
    key: 'istio.contexts',
    kind: 'globs',
    value: 'names',
    help: 'clusters whose Istio remote secrets name more clusters (default: the default cluster of the other sources)',
    commands: ['run', 'clusters', 'serve'],
  },
  {
    key: 'istio.namespaces',
    kind: 'namespaces',
    default: 'istio-system',
    value: 'names',
    help: 'where these secrets are',
    commands: ['run', 'clusters', 'serve'],
  },
  {
    key: 'clusterprofile.contexts',
    kind: 'globs',
    value: 'names',
    help: 'clusters whose ClusterProfiles name more clusters (default: the default cluster of the other sources)',
    commands: ['run', 'clusters'],
  },
  {
    key: 'clusterprofile.namespaces',
    kind: 'namespaces',
    default: 'fleet-cluster-inventory',
    value: 'names',
    help: 'where these ClusterProfiles are',
    commands: ['run', 'clusters'],
  },
  {
    key: 'clusterprofile.providerFile',
    kind: 'path',
    value: 'file',
    help: 'JSON file of the access providers whose exec plugins may be run, as KEP-5339 has it (default: none; google needs none)',
    commands: ['run', 'clusters'],
  },
  {
    key: 'allowServers',
    kind: 'globs',
    value: 'hosts',
    help: "hosts that a kubeconfig or ClusterProfile out of a cluster may name although they are unencrypted, loopback, link-local, or none of Google's",
    commands: ['run', 'clusters', 'serve'],
  },
  {
    key: 'defaultCluster',
    kind: 'defaultCluster',
    value: 'cluster',
    help: 'the default where no context is current and this is no pod: gke://PROJECT/LOCATION/NAME, its link, cluster://PART-OF-A-NAME, or a name (default: by region and name)',
    commands: ['run', 'clusters', 'serve'],
    platformVariable: 'MESH_URL',
  },
  {
    key: 'region',
    kind: 'text',
    value: 'region',
    help: "region in which to look for the default cluster first (default: the metadata server's)",
    commands: ['run', 'clusters', 'serve'],
  },
  {
    key: 'contexts',
    kind: 'globs',
    value: 'names',
    help: 'only these contexts; * stands for anything',
    commands: ['run', 'clusters', 'serve'],
  },
  {
    key: 'resources',
    kind: 'resources',
    value: 'patterns',
    help: 'which resources: httproutes.gateway.networking.k8s.io, *.istio.io, deployments.apps, secrets (default: every custom resource)',
    commands: ['run', 'plan'],
  },
  {
    key: 'excludeResources',
    kind: 'resources',
    value: 'patterns',
    help: 'leave these resources out',
    commands: ['run', 'plan'],
  },
  { key: 'namespaces', kind: 'namespaces', value: 'names', help: 'only these namespaces', commands: ['run', 'plan'] },
  {
    key: 'labelSelector',
    kind: 'text',
    value: 'selector',
    short: 'l',
    help: 'only objects with these labels, in Kubernetes selector syntax',
    commands: ['run', 'plan'],
  },
  {
    key: 'data',
    kind: 'path',
    default: '.mk8s',
    value: 'folder',
    help: 'folder of the feed: revisions, checkpoints, leases, subscriptions',
    commands: ['run', 'tail', 'status', 'serve'],
  },
  {
    key: 'store',
    kind: 'store',
    default: 'disk',
    value: 'place',
    help: 'where revisions, checkpoints and leases are kept: disk (the folder of --data), or firestore://PROJECT/DATABASE',
    commands: ['run', 'status', 'serve'],
  },
  {
    key: 'sinks',
    kind: 'sinks',
    value: 'sink',
    flag: 'sink',
    help: 'publish changes there too: stdout: (NDJSON), a URL (CloudEvents over HTTP) or pubsub://PROJECT/TOPIC; repeatable',
    commands: ['run'],
  },
  {
    key: 'mode',
    kind: 'mode',
    default: 'follow',
    value: 'mode',
    help: 'follow: until stopped or the deadline; catch-up: until every stream has reached the present',
    commands: ['run'],
  },
  {
    key: 'deadline',
    kind: 'duration',
    value: 'duration',
    help: 'end in order after this long, e.g. 55m (default: none)',
    commands: ['run'],
  },
  {
    key: 'retention.age',
    kind: 'duration',
    value: 'duration',
    help: 'remove revisions older than this, e.g. 30d; the last state of an object stays (default: none)',
    commands: ['run'],
  },
  {
    key: 'retention.revisions',
    kind: 'limit',
    value: 'count',
    help: 'keep at most this many revisions of an object (default: none)',
    commands: ['run'],
  },
  {
    key: 'redact',
    kind: 'redact',
    value: 'rule',
    help: "redact fields before anything is recorded, e.g. 'certificates.cert-manager.io:spec.secretName'; repeatable",
    commands: ['run'],
  },
  {
    key: 'ignoreNoop',
    kind: 'boolean',
    default: 'false',
    help: 'drop changes that alter only resourceVersion and managedFields',
    commands: ['run'],
  },
  {
    key: 'shard.index',
    kind: 'count',
    default: '0',
    value: 'number',
    help: 'which share of the streams this process takes, from 0',
    commands: ['run'],
    platformVariable: 'CLOUD_RUN_TASK_INDEX',
  },
  {
    key: 'shard.count',
    kind: 'positive',
    default: '1',
    value: 'number',
    help: 'among how many processes the streams are shared',
    commands: ['run', 'plan'],
    platformVariable: 'CLOUD_RUN_TASK_COUNT',
  },
  {
    key: 'gateway.streams',
    kind: 'positive',
    default: '10',
    value: 'number',
    help: 'streams that may be open through the Connect Gateway of one fleet host project, of all tasks together',
    commands: ['run', 'plan'],
  },
  {
    key: 'gateway.requestsPerMinute',
    kind: 'positive',
    default: '2400',
    value: 'number',
    help: 'requests a minute through the Connect Gateway of one fleet host project, of all tasks together',
    commands: ['run', 'plan'],
  },
  {
    key: 'memory',
    kind: 'bytes',
    default: '64MiB',
    value: 'size',
    help: 'budget for changes on their way',
    commands: ['run'],
  },
  {
    key: 'logLevel',
    kind: 'logLevel',
    default: 'info',
    value: 'level',
    help: 'least severity of log lines: debug, info, warning, error',
    commands: ['run', 'metadata'],
  },
  {
    key: 'view',
    kind: 'view',
    default: 'auto',
    value: 'view',
    help: 'table (redrawn), log (JSON lines), none; auto: table on a terminal, else log',
    commands: ['run'],
  },
  {
    key: 'fallbackSandbox',
    kind: 'boolean',
    default: 'false',
    help: 'where no cluster is found, say so and run the sandbox fleet',
    commands: ['run'],
  },
  {
    key: 'sandbox.clusters',
    kind: 'positive',
    default: '3',
    value: 'number',
    help: 'clusters of the sandbox fleet',
    commands: ['run', 'clusters', 'sandbox', 'serve'],
    flagIn: { sandbox: 'clusters' },
  },
  {
    key: 'sandbox.objects',
    kind: 'count',
    default: '200',
    value: 'number',
    help: 'objects in each sandbox cluster',
    commands: ['run', 'clusters', 'sandbox', 'serve'],
    flagIn: { sandbox: 'objects' },
  },
  {
    key: 'sandbox.rate',
    kind: 'rate',
    default: '5',
    value: 'number',
    help: 'changes per second in each sandbox cluster',
    commands: ['run', 'sandbox', 'serve'],
    flagIn: { sandbox: 'rate' },
  },
  {
    key: 'service.url',
    kind: 'serviceUrl',
    value: 'url',
    flag: 'service',
    help: 'ask this mk8s service for tokens, instead of making them from local credentials',
    commands: ['credential', 'token'],
  },
  {
    key: 'service.audience',
    kind: 'text',
    value: 'audience',
    help: 'audience of the identity token that the service is asked with (default: its URL)',
    commands: ['credential', 'token'],
    flagIn: { credential: 'audience' },
  },
  {
    key: 'service.anonymous',
    kind: 'boolean',
    default: 'false',
    help: 'show the service no identity token: for one that asks nobody who they are (mk8s serve --as)',
    commands: ['credential', 'token'],
  },
  {
    key: 'metadata.port',
    kind: 'port',
    default: '15021',
    value: 'number',
    help: 'port of the metadata server; 0: one that is free',
    commands: ['metadata'],
    flagIn: { metadata: 'port' },
  },
  {
    key: 'metadata.address',
    kind: 'address',
    default: '127.0.0.1',
    value: 'ip',
    help: 'address that the metadata server listens on; other than loopback only with allow-remote',
    commands: ['metadata'],
    flagIn: { metadata: 'address' },
  },
  {
    key: 'metadata.allowRemote',
    kind: 'boolean',
    default: 'false',
    help: 'let the metadata server give tokens to other machines: whoever reaches it is served',
    commands: ['metadata'],
    flagIn: { metadata: 'allow-remote' },
  },
  {
    key: 'metadata.projectNumber',
    kind: 'text',
    value: 'number',
    help: "the project's number (default: asked of Google)",
    commands: ['metadata'],
    flagIn: { metadata: 'project-number' },
  },
  {
    key: 'metadata.location',
    kind: 'text',
    value: 'location',
    help: "region or zone that is told (default: the cluster's, by its name)",
    commands: ['metadata'],
    flagIn: { metadata: 'location' },
  },
  {
    key: 'metadata.clusterName',
    kind: 'text',
    value: 'name',
    help: "cluster name that is told (default: the cluster's)",
    commands: ['metadata'],
    flagIn: { metadata: 'cluster-name' },
  },
  {
    key: 'serve.port',
    kind: 'count',
    default: '8080',
    value: 'number',
    flag: 'port',
    help: 'port to listen on; 0 for any that is free',
    commands: ['serve'],
    platformVariable: 'PORT',
  },
  {
    key: 'serve.host',
    kind: 'text',
    default: '127.0.0.1',
    value: 'address',
    flag: 'host',
    help: 'address to listen on',
    commands: ['serve'],
  },
  {
    key: 'serve.url',
    kind: 'text',
    value: 'url',
    flag: 'url',
    help: 'how callers reach the service (default: where it listens)',
    commands: ['serve'],
  },
  {
    key: 'serve.policy',
    kind: 'path',
    value: 'file',
    flag: 'policy',
    help: 'who may have what; without it nothing is granted',
    commands: ['serve'],
  },
  {
    key: 'serve.audience',
    kind: 'audiences',
    value: 'audiences',
    flag: 'audience',
    help: "audiences of callers' ID tokens (default: the URL of the service)",
    commands: ['serve'],
  },
  {
    key: 'serve.issuers',
    kind: 'issuers',
    default: 'https://accounts.google.com',
    value: 'urls',
    flag: 'issuers',
    help: "OpenID Connect issuers of callers' ID tokens",
    commands: ['serve'],
  },
  {
    key: 'serve.tokensUrl',
    kind: 'text',
    value: 'url',
    flag: 'tokens-url',
    help: 'where kubeconfigs send their plugin for tokens (default: this service)',
    commands: ['serve'],
  },
  {
    key: 'serve.corsOrigins',
    kind: 'origins',
    value: 'origins',
    flag: 'cors-origins',
    help: 'origins whose pages may read answers (default: none)',
    commands: ['serve'],
  },
  {
    key: 'serve.proxies',
    kind: 'count',
    default: '0',
    value: 'number',
    flag: 'proxies',
    help: "how many proxies in front of the service each add an address to X-Forwarded-For: the caller's is that far from its end; 0: it is not looked at",
    commands: ['serve'],
  },
  {
    key: 'serve.as',
    kind: 'text',
    value: 'address',
    flag: 'as',
    help: 'ask nobody for a token: everyone who reaches the loopback port is this caller',
    commands: ['serve'],
  },
] as const satisfies readonly Option[];

/** Whether a command takes the option as a flag. A plan finds clusters as a list of them does. */
export function takes(command: CommandName, option: Option): boolean {
  return option.commands.includes(command) || (command === 'plan' && option.commands.includes('clusters'));
}

type Options = (typeof options)[number];
type OptionOf<K extends Options['key']> = Extract<Options, { key: K }>;
type ValueOf<O extends Options> = O extends { default: string }
  ? KindValue<O['kind']>
  : KindValue<O['kind']> | KindAbsent<O['kind']>;
type Nested<K extends string> = K extends `${infer Section}.${infer _}` ? Section : never;
type Flat<K extends string> = K extends `${string}.${string}` ? never : K;

/** All options with their values, nested as in mk8s.yaml. Durations are milliseconds, sizes are bytes, undefined is "none". */
export type Config = {
  readonly [K in Flat<Options['key']>]: ValueOf<OptionOf<K>>;
} & {
  readonly [S in Nested<Options['key']>]: {
    readonly [K in Options['key'] as K extends `${S}.${infer Leaf}` ? Leaf : never]: ValueOf<OptionOf<K>>;
  };
};

/** `retention.age` → `MK8S_RETENTION_AGE`. */
export function variableOf(option: Option): string {
  return `MK8S_${words(option.key).join('_').toUpperCase()}`;
}

/** `retention.age` → `--retention-age`. */
export function flagOf(option: Option, command?: CommandName): string {
  const own = command === undefined ? undefined : option.flagIn?.[command];
  return `--${own ?? option.flag ?? words(option.key).join('-').toLowerCase()}`;
}

function words(key: string): string[] {
  return key.split(/\.|(?=[A-Z])/);
}

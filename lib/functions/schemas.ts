// Every shape that comes in or goes out. Requests are checked by them, and OpenAPI is made of them.
import * as v from 'valibot';

const described = <T extends v.GenericSchema>(schema: T, description: string) =>
  v.pipe(schema, v.description(description));
const time = described(v.string(), 'RFC 3339');

/** DNS label and subdomain of Kubernetes: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
const namespace = v.pipe(v.string(), v.regex(LABEL, 'a namespace'));
const serviceAccount = v.pipe(v.string(), v.regex(SUBDOMAIN, 'the name of a service account'));
// No control or format characters, wherever it goes to.
const plain = (most: number) => v.pipe(v.string(), v.regex(/^\P{C}+$/u, 'plain text'), v.maxLength(most));

const clusterParameter = described(plain(512), 'a cluster’s id or one of its names');
export const clusterParams = v.strictObject({ cluster: clusterParameter });
export const accountParams = v.strictObject({ cluster: clusterParameter, namespace, serviceaccount: serviceAccount });

const filters = {
  source: v.optional(described(plain(200), 'only clusters that this source found')),
  project: v.optional(described(plain(200), 'only clusters of this Google Cloud project')),
  location: v.optional(described(plain(200), 'only clusters in this region or zone')),
  state: v.optional(described(plain(200), 'only clusters of which the platform says this')),
  label: v.optional(
    described(v.pipe(v.array(plain(400)), v.maxLength(16)), 'KEY=VALUE, or KEY for any value; all must hold'),
  ),
};
const flag = v.picklist(['true', 'false']);
const refresh = v.optional(described(flag, 'read the sources anew; for callers who were granted it'));

export const listQuery = v.strictObject({
  ...filters,
  limit: v.optional(
    described(v.pipe(v.string(), v.regex(/^(?:[1-9]\d?|[1-4]\d\d|500)$/, 'from 1 to 500')), '1 to 500; default 100'),
  ),
  continue: v.optional(described(plain(600), 'from the answer before')),
  as: v.optional(described(v.picklist(['ClusterProfileList']), 'as objects of the Cluster Inventory API')),
  refresh,
});
export const clusterQuery = v.strictObject({
  as: v.optional(described(v.picklist(['ClusterProfile']), 'as an object of the Cluster Inventory API')),
  refresh,
});
const accountOfUsers = {
  namespace: v.optional(described(namespace, 'of the service account')),
  serviceaccount: v.optional(described(serviceAccount, 'as which the user speaks; with namespace')),
};
export const kubeconfigQuery = v.strictObject(accountOfUsers);
export const kubeconfigsQuery = v.strictObject({ ...filters, ...accountOfUsers });
export const credentialQuery = v.strictObject(accountOfUsers);
export const noQuery = v.strictObject({});

export const clusterSchema = v.strictObject({
  id: v.optional(described(v.string(), 'stable and unique; absent while the cluster has not been reached')),
  name: v.string(),
  aliases: v.array(v.string()),
  sources: v.array(v.string()),
  server: described(v.string(), 'URL of the API server'),
  namespace: described(v.string(), 'default namespace of its context'),
  isDefault: v.boolean(),
  version: v.optional(v.string()),
  error: v.optional(described(v.string(), 'why it could not be reached')),
  project: v.optional(v.string()),
  location: v.optional(v.string()),
  state: v.optional(v.string()),
  labels: v.optional(v.record(v.string(), v.string())),
});
export const clusterListSchema = v.strictObject({
  clusters: v.array(clusterSchema),
  continue: v.optional(described(v.string(), 'of the next page; absent at the end')),
  asOf: time,
});

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const streamSchema = v.looseObject({
  key: v.string(),
  cluster: v.string(),
  resource: described(v.string(), 'PLURAL.GROUP'),
  clusterName: v.string(),
  state: v.picklist(['starting', 'syncing', 'watching', 'retrying', 'blocked', 'parked', 'stopped', 'ended']),
  epoch: count,
  resourceVersion: v.string(),
  recorded: count,
  published: count,
  objects: count,
  currentAt: v.number(),
  lastBookmarkAt: v.number(),
  gaps: count,
  lastGapAt: v.number(),
  updatedAt: v.number(),
  error: v.optional(v.string()),
  lagSeconds: v.nullable(described(v.number(), 'since it was last known to hold the present; null for never')),
});
export const streamsSchema = v.strictObject({
  alive: described(v.boolean(), 'whether a run writes just now'),
  run: v.nullable(
    v.looseObject({ run: v.string(), startedAt: v.number(), updatedAt: v.number(), running: v.boolean() }),
  ),
  streams: v.array(streamSchema),
});

export const kubeconfigSchema = v.looseObject({
  apiVersion: v.literal('v1'),
  kind: v.literal('Config'),
  clusters: v.array(v.looseObject({ name: v.string() })),
  users: v.array(v.looseObject({ name: v.string() })),
  contexts: v.array(v.looseObject({ name: v.string() })),
});

const tokenSpec = {
  audiences: v.optional(v.pipe(v.array(plain(1_024)), v.maxLength(1))),
  expirationSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(600), v.maxValue(86_400))),
};
export const tokenRequestSchema = v.strictObject({
  apiVersion: v.literal('authentication.k8s.io/v1'),
  kind: v.literal('TokenRequest'),
  spec: v.optional(v.strictObject(tokenSpec)),
});
export const tokenAnswerSchema = v.strictObject({
  apiVersion: v.literal('authentication.k8s.io/v1'),
  kind: v.literal('TokenRequest'),
  spec: v.strictObject({ audiences: v.array(v.string()), expirationSeconds: v.number() }),
  status: v.strictObject({ token: v.string(), expirationTimestamp: time }),
});
export const execCredentialSchema = v.strictObject({
  apiVersion: v.literal('client.authentication.k8s.io/v1'),
  kind: v.literal('ExecCredential'),
  status: v.strictObject({ token: v.string(), expirationTimestamp: time }),
});

const OAUTH = 'urn:ietf:params:oauth';
export const exchangeSchema = v.strictObject({
  grant_type: v.literal(`${OAUTH}:grant-type:token-exchange`),
  subject_token: v.pipe(v.string(), v.minLength(1), v.maxLength(8_192)),
  subject_token_type: v.picklist([`${OAUTH}:token-type:id_token`, `${OAUTH}:token-type:jwt`]),
  requested_token_type: v.optional(
    v.picklist([`${OAUTH}:token-type:access_token`, `${OAUTH}:token-type:id_token`]),
    `${OAUTH}:token-type:access_token`,
  ),
  resource: described(plain(1_024), 'whose token'),
  scope: v.optional(plain(4_096)),
  audience: v.optional(plain(1_024)),
});
export const exchangedSchema = v.strictObject({
  access_token: v.string(),
  issued_token_type: v.string(),
  token_type: v.picklist(['Bearer', 'N_A']),
  expires_in: count,
  scope: v.optional(v.string()),
});

export const healthSchema = v.strictObject({ status: v.literal('ok') });
export const profileSchema = v.looseObject({
  apiVersion: v.literal('multicluster.x-k8s.io/v1alpha1'),
  kind: v.literal('ClusterProfile'),
});
export const profileListSchema = v.looseObject({
  apiVersion: v.literal('multicluster.x-k8s.io/v1alpha1'),
  kind: v.literal('ClusterProfileList'),
  items: v.array(profileSchema),
});
export const problemSchema = v.looseObject({
  type: v.string(),
  title: v.string(),
  status: v.number(),
  detail: v.optional(v.string()),
  instance: v.string(),
});
export const descriptionSchema = v.looseObject({ openapi: v.string(), paths: v.looseObject({}) });
export const pageSchema = v.string();

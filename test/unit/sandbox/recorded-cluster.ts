// A sandbox that holds what the recorded server held, and requests sent to it as they were recorded.
import { request } from 'node:https';
import { gunzipSync } from 'node:zlib';
import type { JsonObject } from '../../../lib/sandbox/json.ts';
import type { KubeObject } from '../../../lib/sandbox/object.ts';
import { type Sandbox, startSandbox } from '../../../lib/sandbox/sandbox.ts';
import { recordedExchange } from '../../support/recordings.ts';

export const version = 'v1.36.2';
const definitions = { group: 'apiextensions.k8s.io', plural: 'customresourcedefinitions' };

/** The widgets CRD as recorded, Gateway API in short, the namespaces, the objects of `20-list/full`, two accounts. */
export async function recordedCluster(): Promise<Sandbox> {
  const sandbox = await startSandbox({
    futureTimeout: 50,
    // Long enough to see a namespace that is being deleted.
    timings: { namespaceDeleted: 60_000 },
    rules: [
      {
        subjects: ['system:serviceaccount:team-a:reader'],
        verbs: ['get', 'list', 'watch'],
        groups: ['example.com'],
        resources: ['widgets'],
        namespaces: ['team-a'],
      },
    ],
  });
  const client = sandbox.client.as('wire-recorder');
  client.create(definitions, JSON.parse(recordedExchange(`${version}/05-crd/create`).request.body));
  for (const definition of gatewayDefinitions) client.create(definitions, definition);
  for (const team of ['a', 'b', 'c']) {
    const metadata = { name: `team-${team}`, labels: { team } };
    client.create({ group: '', plural: 'namespaces' }, { apiVersion: 'v1', kind: 'Namespace', metadata });
  }
  for (const [namespace, name] of [
    ['team-a', 'reader'],
    ['team-b', 'nobody'],
  ] as const) {
    const metadata = { name, namespace };
    client.create(
      { group: '', plural: 'serviceaccounts', namespace },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    );
  }
  const plurals = ['gateways', 'httproutes', 'gatewayclasses'];
  const defined = ['widgets.example.com', ...plurals.map((plural) => `${plural}.gateway.networking.k8s.io`)];
  while (!defined.every((name) => served(sandbox, name))) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const { items } = JSON.parse(recordedExchange(`${version}/20-list/full`).response.body.toString('utf8')) as {
    items: KubeObject[];
  };
  for (const { apiVersion, kind, metadata, ...rest } of items) {
    const { name, namespace = '', labels, annotations } = metadata;
    client.create(
      { group: 'example.com', plural: 'widgets', namespace },
      {
        apiVersion,
        kind,
        metadata: { name, namespace, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
        ...rest,
      },
    );
  }
  for (const name of ['gatewayclasses', 'httproutes']) {
    const list = JSON.parse(recordedExchange(`${version}/20-list/${name}`).response.body.toString('utf8')) as {
      items: KubeObject[];
    };
    for (const { apiVersion, kind, metadata, spec } of list.items) {
      const { name: own, namespace } = metadata;
      const ref = {
        group: 'gateway.networking.k8s.io',
        plural: name,
        ...(namespace === undefined ? {} : { namespace }),
      };
      client.create(ref, {
        apiVersion,
        kind,
        metadata: { name: own, ...(namespace === undefined ? {} : { namespace }) },
        spec,
      });
    }
  }
  return sandbox;
}

function served({ client }: Sandbox, name: string): boolean {
  const [plural = '', ...group] = name.split('.');
  return client.serves(group.join('.'), plural);
}

export interface Replayed {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Sends a recorded request to the sandbox. `fix` translates names of the recorded server in query and body. */
export async function replay(
  sandbox: Sandbox,
  name: string,
  tokens: Readonly<Record<string, string>>,
  fix: (text: string) => string = (text) => text,
  path?: string,
): Promise<Replayed> {
  const { request: recorded } = recordedExchange(`${version}/${name}`);
  const { host, 'content-length': length, authorization, ...headers } = recorded.headers;
  void [host, length];
  const who = /REDACTED-(\S+)/.exec(authorization ?? '')?.[1];
  const token = who === undefined ? undefined : (tokens[who] ?? 'garbage');
  const query = recorded.query.size === 0 ? '' : `?${recorded.query.toString()}`;
  return new Promise((resolve, reject) => {
    const sent = request(
      `${sandbox.url}${path ?? recorded.path}${fix(query)}`,
      {
        method: recorded.method,
        ca: sandbox.ca,
        headers: {
          ...headers,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(recorded.body === '' ? {} : { 'content-length': Buffer.byteLength(fix(recorded.body)) }),
        },
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const plain = response.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: plain.toString('utf8') });
        });
      },
    );
    sent.on('error', reject);
    sent.end(fix(recorded.body));
  });
}

/** The text with everything that differs between two servers by nature replaced by a word for it. */
export function normalised(text: string): string {
  return text
    .replace(
      /("continue": ?)"(eyJ[^"]*)"/g,
      (_, key: string, token: string) => `${key}${JSON.stringify(tokenShape(token))}`,
    )
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UID')
    .replace(/("?resourceVersion"?: ?)"\d+"/g, '$1"RV"')
    .replace(/20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'TIME')
    .replace(/gen-[a-z0-9]{5}"/g, 'gen-NAME"')
    .replace(/current: \d+/g, 'current: RV')
    .replace(/"gitCommit": "[0-9a-f]+"/g, '"gitCommit": "COMMIT"')
    .replace(/JWT\.x+|ey[\w-]+\.[\w-]+\.[\w-]+/g, 'TOKEN')
    .replace(/https:\/\/(127\.0\.0\.1:\d+|kubernetes\.default\.svc\.cluster\.local)/g, 'ISSUER')
    .replace(/"storageVersionHash":"[^"]*"/g, '"storageVersionHash":"HASH"');
}

function tokenShape(token: string): string {
  const { rv, ...rest } = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as { rv: number };
  return JSON.stringify({ ...rest, rv: rv === -1 ? -1 : 'RV' });
}

const conditionDefaults = (
  types: readonly string[],
): { type: string; status: string; reason: string; message: string; lastTransitionTime: string }[] =>
  types.map((type) => ({
    type,
    status: 'Unknown',
    reason: 'Pending',
    message: 'Waiting for controller',
    lastTransitionTime: '1970-01-01T00:00:00Z',
  }));

function gatewayDefinition(
  plural: string,
  kind: string,
  scope: string,
  spec: JsonObject,
  types: readonly string[],
  shortNames: string[],
): JsonObject {
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const status = types.length === 0 ? anything : { ...anything, default: { conditions: conditionDefaults(types) } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.gateway.networking.k8s.io` },
    spec: {
      group: 'gateway.networking.k8s.io',
      scope,
      names: {
        plural,
        kind,
        singular: kind.toLowerCase(),
        categories: ['gateway-api'],
        ...(shortNames.length > 0 ? { shortNames } : {}),
      },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: 'object', required: ['spec'], properties: { spec, status } } },
        },
      ],
    },
  };
}

const text = { type: 'string' };
const listeners = {
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name'],
  items: {
    type: 'object',
    properties: {
      name: text,
      port: { type: 'integer' },
      protocol: text,
      allowedRoutes: {
        type: 'object',
        default: { namespaces: { from: 'Same' } },
        properties: { namespaces: { type: 'object', properties: { from: text } } },
      },
    },
  },
};
const hostPattern = '^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';
const gatewayDefinitions = [
  gatewayDefinition(
    'gateways',
    'Gateway',
    'Namespaced',
    { type: 'object', properties: { gatewayClassName: text, listeners } },
    ['Accepted', 'Programmed'],
    ['gtw'],
  ),
  gatewayDefinition(
    'httproutes',
    'HTTPRoute',
    'Namespaced',
    {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { hostnames: { type: 'array', items: { type: 'string', pattern: hostPattern } } },
    },
    [],
    [],
  ),
  gatewayDefinition(
    'gatewayclasses',
    'GatewayClass',
    'Cluster',
    { type: 'object', properties: { controllerName: text } },
    ['Accepted'],
    ['gc'],
  ),
];

// The custom resources of the sandbox fleet: named and grouped as those of Gateway API, Istio and cert-manager, with
// short schemas of our own.
import type { JsonObject } from './json.ts';

export interface FleetResource {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
  /** Storage version first. */
  readonly versions: readonly string[];
  readonly shortNames: readonly string[];
  readonly category: string;
  readonly spec: JsonObject;
  readonly status: JsonObject;
  readonly columns: readonly (readonly [name: string, type: string, jsonPath: string])[];
}

const text = { type: 'string' };
const integer = { type: 'integer' };
const texts = list(text);
const ready = `.status.conditions[?(@.type=="Ready")].status`;

const conditions: JsonObject = {
  ...list(
    object(
      { type: text, status: text, reason: text, message: text, lastTransitionTime: text, observedGeneration: integer },
      'type',
      'status',
    ),
  ),
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
};
const match = object({
  path: object({ type: text, value: text }),
  headers: list(object({ name: text, value: text })),
  method: text,
});
const backend = object(
  { name: text, port: { ...integer, minimum: 1, maximum: 65535 }, weight: { ...integer, default: 1 } },
  'name',
);

const gateways: FleetResource = {
  group: 'gateway.networking.k8s.io',
  plural: 'gateways',
  kind: 'Gateway',
  versions: ['v1', 'v1beta1'],
  shortNames: ['gtw'],
  category: 'gateway-api',
  spec: object(
    {
      gatewayClassName: text,
      listeners: {
        ...list(
          object(
            {
              name: text,
              hostname: text,
              port: { ...integer, minimum: 1, maximum: 65535 },
              protocol: { ...text, enum: ['HTTP', 'HTTPS', 'TLS', 'TCP'] },
              tls: object({
                mode: { ...text, default: 'Terminate' },
                certificateRefs: list(object({ name: text }, 'name')),
              }),
              allowedRoutes: object({ namespaces: object({ from: { ...text, enum: ['All', 'Same', 'Selector'] } }) }),
            },
            'name',
            'port',
            'protocol',
          ),
        ),
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      },
    },
    'gatewayClassName',
    'listeners',
  ),
  status: object({
    addresses: list(object({ type: text, value: text })),
    conditions,
    listeners: list(object({ name: text, attachedRoutes: integer, conditions })),
  }),
  columns: [
    ['Class', 'string', '.spec.gatewayClassName'],
    ['Address', 'string', '.status.addresses[*].value'],
    ['Programmed', 'string', `.status.conditions[?(@.type=="Programmed")].status`],
    ['Age', 'date', '.metadata.creationTimestamp'],
  ],
};

const httpRoutes: FleetResource = {
  group: 'gateway.networking.k8s.io',
  plural: 'httproutes',
  kind: 'HTTPRoute',
  versions: ['v1', 'v1beta1'],
  shortNames: [],
  category: 'gateway-api',
  spec: object({
    hostnames: texts,
    parentRefs: list(object({ name: text, namespace: text, sectionName: text }, 'name')),
    rules: list(
      object({
        name: text,
        matches: list(match),
        filters: list(
          object(
            { type: text, requestHeaderModifier: object({ set: list(object({ name: text, value: text })) }) },
            'type',
          ),
        ),
        backendRefs: list(backend),
        timeouts: object({ request: text }),
      }),
    ),
  }),
  status: object({
    parents: list(object({ parentRef: object({ name: text, namespace: text }), controllerName: text, conditions })),
  }),
  columns: [
    ['Hostnames', 'string', '.spec.hostnames'],
    ['Age', 'date', '.metadata.creationTimestamp'],
  ],
};

const virtualServices: FleetResource = {
  group: 'networking.istio.io',
  plural: 'virtualservices',
  kind: 'VirtualService',
  versions: ['v1', 'v1beta1'],
  shortNames: ['vs'],
  category: 'istio-io',
  spec: object({
    hosts: texts,
    gateways: texts,
    http: list(
      object({
        name: text,
        match: list(object({ uri: object({ prefix: text, exact: text }) })),
        route: list(
          object({
            destination: object({ host: text, subset: text, port: object({ number: integer }) }, 'host'),
            weight: integer,
          }),
        ),
        retries: object({ attempts: integer, perTryTimeout: text, retryOn: text }),
        timeout: text,
      }),
    ),
  }),
  status: object({ observedGeneration: { 'x-kubernetes-int-or-string': true }, conditions }),
  columns: [
    ['Gateways', 'string', '.spec.gateways'],
    ['Hosts', 'string', '.spec.hosts'],
    ['Age', 'date', '.metadata.creationTimestamp'],
  ],
};

const destinationRules: FleetResource = {
  group: 'networking.istio.io',
  plural: 'destinationrules',
  kind: 'DestinationRule',
  versions: ['v1', 'v1beta1'],
  shortNames: ['dr'],
  category: 'istio-io',
  spec: object(
    {
      host: text,
      trafficPolicy: object({
        loadBalancer: object({ simple: { ...text, enum: ['LEAST_REQUEST', 'RANDOM', 'ROUND_ROBIN', 'PASSTHROUGH'] } }),
        connectionPool: object({
          tcp: object({ maxConnections: integer }),
          http: object({ http2MaxRequests: integer }),
        }),
        outlierDetection: object({ consecutive5xxErrors: integer, interval: text, baseEjectionTime: text }),
        tls: object({ mode: text }),
      }),
      subsets: list(object({ name: text, labels: { type: 'object', additionalProperties: text } }, 'name')),
    },
    'host',
  ),
  status: object({ observedGeneration: { 'x-kubernetes-int-or-string': true }, conditions }),
  columns: [
    ['Host', 'string', '.spec.host'],
    ['Age', 'date', '.metadata.creationTimestamp'],
  ],
};

const certificates: FleetResource = {
  group: 'cert-manager.io',
  plural: 'certificates',
  kind: 'Certificate',
  versions: ['v1'],
  shortNames: ['cert', 'certs'],
  category: 'cert-manager',
  spec: object(
    {
      secretName: text,
      dnsNames: texts,
      duration: text,
      renewBefore: text,
      usages: texts,
      issuerRef: object({ name: text, kind: text, group: text }, 'name'),
      privateKey: object({ algorithm: text, size: integer, rotationPolicy: text }),
    },
    'secretName',
    'issuerRef',
  ),
  status: object({ conditions, notBefore: text, notAfter: text, renewalTime: text, revision: integer }),
  columns: [
    ['Ready', 'string', ready],
    ['Secret', 'string', '.spec.secretName'],
    ['Age', 'date', '.metadata.creationTimestamp'],
  ],
};

const issuers: FleetResource = {
  group: 'cert-manager.io',
  plural: 'issuers',
  kind: 'Issuer',
  versions: ['v1'],
  shortNames: [],
  category: 'cert-manager',
  spec: object({
    acme: object({
      server: text,
      email: text,
      privateKeySecretRef: object({ name: text }),
      solvers: list(object({ http01: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } })),
    }),
  }),
  status: object({ conditions, acme: object({ uri: text, lastRegisteredEmail: text }) }),
  columns: [
    ['Ready', 'string', ready],
    ['Age', 'date', '.metadata.creationTimestamp'],
  ],
};

export const fleetResources: readonly FleetResource[] = [
  gateways,
  httpRoutes,
  virtualServices,
  destinationRules,
  certificates,
  issuers,
];

/** The CustomResourceDefinition as it is posted. */
export function definitionOf(resource: FleetResource): JsonObject {
  const { group, plural, kind, versions, shortNames, category, spec, status, columns } = resource;
  const additionalPrinterColumns = columns.map(([name, type, jsonPath]) => ({ name, type, jsonPath }));
  const schema = {
    openAPIV3Schema: object({ apiVersion: text, kind: text, metadata: { type: 'object' }, spec, status }, 'spec'),
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      ...(group.endsWith('.k8s.io') ? { annotations: { 'api-approved.kubernetes.io': 'unapproved, a sandbox' } } : {}),
    },
    spec: {
      group,
      names: {
        plural,
        singular: kind.toLowerCase(),
        kind,
        listKind: `${kind}List`,
        shortNames: [...shortNames],
        categories: [category],
      },
      scope: 'Namespaced',
      versions: versions.map((name, index) => ({
        name,
        served: true,
        storage: index === 0,
        schema,
        subresources: { status: {} },
        additionalPrinterColumns,
      })),
    },
  };
}

function object(properties: JsonObject, ...required: string[]): JsonObject {
  return { type: 'object', ...(required.length === 0 ? {} : { required }), properties };
}

function list(items: JsonObject): JsonObject {
  return { type: 'array', items };
}

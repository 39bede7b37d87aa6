// Plausible contents for the fleet's objects: what a shop on several clusters would have in its config database.
import type { FleetResource } from './fleet-definitions.ts';
import type { Json, JsonObject } from './json.ts';
import type { SeededRandom } from './random.ts';

export const teams = ['shop', 'payments', 'search', 'logistics', 'identity', 'platform'] as const;
const apps = [
  'checkout',
  'cart',
  'catalog',
  'orders',
  'inventory',
  'pricing',
  'ledger',
  'invoices',
  'refunds',
  'suggest',
  'indexer',
  'ranking',
  'shipping',
  'tracking',
  'routes',
  'login',
  'sessions',
  'profiles',
  'gateway',
  'assets',
] as const;
const tracks = ['stable', 'canary', 'blue', 'green', 'next'] as const;
const regions = ['eu-west', 'us-east', 'ap-south'] as const;

/** `checkout-canary-7`: unique with its number. */
export function nameOf(random: SeededRandom, number: number): string {
  return `${random.pick(apps)}-${random.pick(tracks)}-${number}`;
}

export function labelsOf(random: SeededRandom, name: string): Record<string, string> {
  return {
    'app.kubernetes.io/name': name.split('-')[0] ?? name,
    'app.kubernetes.io/part-of': random.pick(teams),
    'app.kubernetes.io/version': `${random.between(1, 4)}.${random.between(0, 20)}.${random.between(0, 9)}`,
    track: random.pick(tracks),
    region: random.pick(regions),
  };
}

export function annotationsOf(random: SeededRandom): Record<string, string> {
  return {
    'shop.example.com/owner': `team-${random.pick(teams)}@example.com`,
    'shop.example.com/commit': random.hex(40),
    'shop.example.com/change': `CHG-${random.between(10_000, 99_999)}`,
    'shop.example.com/note': `Rollout of build ${random.between(100, 9999)} <${random.hex(8)}> & its routes`,
  };
}

export function specOf(resource: FleetResource, random: SeededRandom, namespace: string, name: string): JsonObject {
  const host = `${name}.${namespace}.example.com`;
  switch (resource.plural) {
    case 'gateways':
      return {
        gatewayClassName: random.pick(['istio', 'gke-l7-global-external-managed', 'envoy']),
        listeners: listeners(random, host),
      };
    case 'httproutes':
      return {
        parentRefs: [{ name: 'public', namespace: 'platform', sectionName: 'https' }],
        hostnames: [host, `www.${host}`],
        rules: repeat(random.between(2, 5), (index) => routeRule(random, name, index)),
      };
    case 'virtualservices':
      return {
        hosts: [host, `${name}.${namespace}.svc.cluster.local`],
        gateways: ['platform/public', 'mesh'],
        http: repeat(random.between(2, 4), (index) => virtualRoute(random, namespace, name, index)),
      };
    case 'destinationrules':
      return destination(random, namespace, name);
    case 'certificates':
      return certificate(random, host, name);
    default:
      return {
        acme: {
          server: 'https://acme.example.com/directory',
          email: `${random.pick(teams)}@example.com`,
          privateKeySecretRef: { name: `${name}-account` },
          solvers: [{ http01: { ingress: { ingressClassName: random.pick(['nginx', 'istio']) } } }],
        },
      };
  }
}

/** `time`: RFC 3339. */
export function statusOf(resource: FleetResource, random: SeededRandom, generation: number, time: string): JsonObject {
  const good = random.next() < 0.85;
  const condition = (type: string): JsonObject => ({
    type,
    status: good ? 'True' : random.pick(['False', 'Unknown']),
    reason: good ? type : random.pick(['Pending', 'Invalid', 'BackendNotFound']),
    message: good
      ? `${resource.kind} is up to date (attempt ${random.between(1, 99)})`
      : `Waiting for a dependency of this ${resource.kind}`,
    lastTransitionTime: time,
    observedGeneration: generation,
  });
  switch (resource.plural) {
    case 'gateways':
      return {
        addresses: [{ type: 'IPAddress', value: `203.0.113.${random.between(1, 254)}` }],
        conditions: [condition('Accepted'), condition('Programmed')],
        listeners: [{ name: 'https', attachedRoutes: random.between(0, 40), conditions: [condition('ResolvedRefs')] }],
      };
    case 'httproutes':
      return {
        parents: [
          {
            parentRef: { name: 'public', namespace: 'platform' },
            controllerName: 'example.com/gateway-controller',
            conditions: [condition('Accepted'), condition('ResolvedRefs')],
          },
        ],
      };
    case 'certificates':
      return { conditions: [condition('Ready')], notAfter: time, revision: random.between(1, 30) };
    case 'issuers':
      return {
        conditions: [condition('Ready')],
        acme: { uri: `https://acme.example.com/acct/${random.between(1000, 9999)}` },
      };
    default:
      return { observedGeneration: generation, conditions: [condition('Reconciled')] };
  }
}

function listeners(random: SeededRandom, host: string): Json[] {
  const https = {
    name: 'https',
    hostname: `*.${host}`,
    port: 443,
    protocol: 'HTTPS',
    tls: { mode: 'Terminate', certificateRefs: [{ name: `${host.split('.')[0]}-tls` }] },
    allowedRoutes: { namespaces: { from: random.pick(['All', 'Same']) } },
  };
  const http = {
    name: 'http',
    hostname: host,
    port: random.pick([80, 8080]),
    protocol: 'HTTP',
    allowedRoutes: { namespaces: { from: 'Same' } },
  };
  return [https, http];
}

function routeRule(random: SeededRandom, name: string, index: number): JsonObject {
  const headers = [{ name: 'x-experiment', value: random.hex(8) }];
  return {
    name: `rule-${index}`,
    matches: [
      {
        path: { type: 'PathPrefix', value: `/${name}/v${index}` },
        headers,
        method: random.pick(['GET', 'POST', 'PUT']),
      },
    ],
    filters: [
      {
        type: 'RequestHeaderModifier',
        requestHeaderModifier: { set: [{ name: 'x-route', value: `${name}-${index}` }] },
      },
    ],
    backendRefs: [
      { name, port: 8080, weight: random.between(50, 100) },
      { name: `${name}-canary`, port: 8080, weight: random.between(0, 50) },
    ],
    timeouts: { request: `${random.between(1, 30)}s` },
  };
}

function virtualRoute(random: SeededRandom, namespace: string, name: string, index: number): JsonObject {
  const host = `${name}.${namespace}.svc.cluster.local`;
  const weight = random.between(1, 99);
  return {
    name: `http-${index}`,
    match: [{ uri: { prefix: `/api/v${index}/${name}` } }],
    route: [
      { destination: { host, subset: 'stable', port: { number: 8080 } }, weight },
      { destination: { host, subset: 'canary', port: { number: 8080 } }, weight: 100 - weight },
    ],
    retries: {
      attempts: random.between(1, 5),
      perTryTimeout: '2s',
      retryOn: 'gateway-error,connect-failure,refused-stream',
    },
    timeout: `${random.between(2, 20)}s`,
  };
}

function destination(random: SeededRandom, namespace: string, name: string): JsonObject {
  return {
    host: `${name}.${namespace}.svc.cluster.local`,
    trafficPolicy: {
      loadBalancer: { simple: random.pick(['LEAST_REQUEST', 'RANDOM', 'ROUND_ROBIN']) },
      connectionPool: {
        tcp: { maxConnections: random.between(10, 1000) },
        http: { http2MaxRequests: random.between(100, 5000) },
      },
      outlierDetection: { consecutive5xxErrors: random.between(3, 10), interval: '10s', baseEjectionTime: '30s' },
      tls: { mode: 'ISTIO_MUTUAL' },
    },
    subsets: ['stable', 'canary'].map((track) => ({ name: track, labels: { track, build: random.hex(12) } })),
  };
}

function certificate(random: SeededRandom, host: string, name: string): JsonObject {
  return {
    secretName: `${name}-tls`,
    dnsNames: [host, ...repeat(random.between(3, 12), (index) => `alt-${index}.${host}`)],
    duration: `${random.pick([720, 1440, 2160])}h0m0s`,
    renewBefore: '360h0m0s',
    usages: ['server auth', 'client auth'],
    issuerRef: { name: random.pick(['letsencrypt', 'internal-ca']), kind: 'ClusterIssuer', group: 'cert-manager.io' },
    privateKey: {
      algorithm: random.pick(['ECDSA', 'RSA']),
      size: random.pick([256, 384, 2048]),
      rotationPolicy: 'Always',
    },
  };
}

function repeat<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

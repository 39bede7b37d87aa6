// Changes for the log's benchmark: objects of about 3.4 KB, as a Gateway API controller's cluster has them once
// managedFields are cut out. The same numbers give the same bytes; memory does not grow with their count.
import { resourceVersion } from '../lib/model/resource-version.ts';
import type { Observed } from '../lib/model/revision.ts';

/** Number `n` of the objects, at a resourceVersion. */
export function benchChange(n: number, version: number): Observed {
  const rv = resourceVersion(String(version));
  const namespace = `team-${n % 50}`;
  const name = `route-${n}`;
  const uid = `${hex(n, 8)}-6f1d-4c1e-9a57-${hex(n * 7919, 12)}`;
  const object = new TextEncoder().encode(JSON.stringify(route({ namespace, name, uid, n, version })));
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    namespace,
    name,
    uid,
    manager: 'envoy-gateway',
    type: version > n + 1 ? 'update' : 'add',
    origin: 'watch',
    observedAt: 1_790_000_000_000 + version,
    resourceVersion: rv,
    asOf: rv,
    object,
  };
}

interface Seed {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly n: number;
  readonly version: number;
}

function route({ namespace, name, uid, n, version }: Seed) {
  const time = `2026-11-22T10:${String(version % 60).padStart(2, '0')}:${String(n % 60).padStart(2, '0')}Z`;
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion: String(version),
      generation: version % 7,
      creationTimestamp: time,
      labels: {
        app: `app-${n % 997}`,
        'app.kubernetes.io/managed-by': 'Helm',
        'pod-hash': hex(n * 104_729 + version, 10),
      },
    },
    spec: {
      parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'shared', namespace: 'infra' }],
      hostnames: [`h${n}.example.com`, `h${n}.internal.example.com`],
      rules: Array.from({ length: 12 }, (_, k) => rule(n, k)),
    },
    status: {
      parents: [
        {
          conditions: ['Accepted', 'ResolvedRefs'].map((type) => ({
            type,
            status: 'True',
            reason: type,
            message: `Route is ${type.toLowerCase()}`,
            lastTransitionTime: time,
            observedGeneration: version % 7,
          })),
          controllerName: 'gateway.envoyproxy.io/gatewayclass-controller',
        },
      ],
    },
  };
}

function rule(n: number, k: number) {
  return {
    matches: [
      {
        path: { type: 'PathPrefix', value: `/svc-${k}/${(n * 31 + k) % 10_007}` },
        headers: [{ name: 'x-tenant', value: `t${(n * 17 + k) % 5003}` }],
      },
    ],
    backendRefs: [{ name: `svc-${(n + k) % 3001}`, port: 8080 + k, weight: (n * k) % 100 }],
    timeouts: { request: '10s' },
  };
}

function hex(value: number, digits: number): string {
  return Math.abs(value).toString(16).padStart(digits, '0').slice(-digits);
}

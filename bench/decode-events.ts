// Watch events for benchmarks: 3.4 KB each with managedFields, as a Gateway API controller's cluster sends them.
// About 200 templates with changing names, uids and resourceVersions; bounded memory for any number of events.

import { seededRandom } from '../test/support/seeded-random.ts';

/** Templates differ in sizes, labels, and number of managers, so that no shape of event can be learnt by heart. */
const TEMPLATES = 200;

const MANAGERS = ['kubectl-client-side-apply', 'envoy-gateway', 'istiod', 'argocd-controller', 'Mozilla', 'helm'];

/**
 * The body of a watch with `count` events, in blocks of at least `blockBytes` (64 KiB). The same arguments give the
 * same bytes.
 */
export function* watchBody(count: number, options: { seed?: number; blockBytes?: number } = {}): Generator<Buffer> {
  const { seed = 1, blockBytes = 65_536 } = options;
  const lines = watchLines(seed);
  let block: string[] = [];
  let size = 0;
  for (let n = 0; n < count; n++) {
    const event = lines.next().value;
    block.push(event);
    size += event.length;
    if (size >= blockBytes) {
      yield Buffer.from(block.join(''));
      block = [];
      size = 0;
    }
  }
  if (size > 0) yield Buffer.from(block.join(''));
}

/** The pages of a list of `count` × `size` objects, as a custom resource's: `items` come before what else there is. */
export function* listPages(count: number, size: number, seed = 1): Generator<Buffer> {
  const [prefix, suffix] = [/^\{"type":"[A-Z]+","object":/, /\}$/];
  const lines = watchLines(seed);
  for (let page = 1; page <= count; page++) {
    const items = Array.from({ length: size }, () =>
      lines.next().value.trimEnd().replace(prefix, '').replace(suffix, ''),
    );
    const metadata = page < count ? `{"continue":"page-${page + 1}","resourceVersion":"1"}` : '{"resourceVersion":"1"}';
    yield Buffer.from(
      `{"apiVersion":"gateway.networking.k8s.io/v1","items":[${items.join(',')}],"kind":"HTTPRouteList","metadata":${metadata}}\n`,
    );
  }
}

/** Lines of events without end. */
function* watchLines(seed: number): Generator<string, never> {
  const random = seededRandom(seed);
  const templates = Array.from({ length: TEMPLATES }, (_, index) => template(index, random));
  for (let n = 0; ; n++) yield (templates[Math.floor(random() * TEMPLATES)] as (n: number) => string)(n);
}

/** One kind of event: a function from its number to its line. */
function template(index: number, random: () => number): (n: number) => string {
  const type = random() < 0.15 ? 'ADDED' : random() < 0.1 ? 'DELETED' : 'MODIFIED';
  const labels = Object.fromEntries(
    range(2 + (index % 5)).map((n) => [`example.com/label-${n}`, `value-${index}-${n}`]),
  );
  const rules = range(2 + (index % 3)).map((n) => rule(index, n));
  const object = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: {
      ...(index % 4 === 0
        ? { annotations: { note: `team "${index}" owns <this> route – ${'x'.repeat(index % 90)}` } }
        : {}),
      creationTimestamp: '2026-11-22T15:43:18Z',
      generation: 1 + (index % 7),
      labels,
      managedFields: range(2 + (index % 2)).map((n) => managedFields(index, n, Object.keys(labels), rules.length)),
      name: '@NAME@',
      namespace: `team-${index % 40}`,
      resourceVersion: '@VERSION@',
      uid: '@UID@',
    },
    spec: {
      hostnames: [`route-${index}.example.com`],
      parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'shared' }],
      rules,
    },
    status: { parents: [parentStatus(index)] },
  };
  const text = goEscapes(JSON.stringify({ type, object }));
  const pieces = text.split(/@(?:NAME|VERSION|UID)@/);
  const [a = '', b = '', c = '', d = ''] = pieces;
  return (n) => {
    const id = (n % 50_000).toString(16).padStart(12, '0');
    return `${a}route-${index}-${n % 50_000}${b}${1_000_000 + n}${c}32aafeef-9aa6-4475-84a4-${id}${d}\n`;
  };
}

function rule(index: number, n: number): object {
  return {
    backendRefs: [{ group: '', kind: 'Service', name: `backend-${index}-${n}`, port: 8080, weight: 1 }],
    filters: [
      {
        requestHeaderModifier: { set: [{ name: 'x-request-team', value: `team-${index % 40}` }] },
        type: 'RequestHeaderModifier',
      },
    ],
    matches: [{ path: { type: 'PathPrefix', value: `/api/v${n}/things/${index}` } }],
  };
}

function managedFields(index: number, n: number, labels: readonly string[], rules: number): object {
  const status = n > 0;
  const fieldsV1 = status
    ? {
        'f:status': {
          'f:parents': {
            '.': {},
            ...leaves(['accepted', 'resolvedRefs', 'programmed', 'conditions', 'controllerName', 'observed']),
          },
        },
      }
    : {
        'f:metadata': { 'f:labels': { '.': {}, ...leaves(labels) } },
        'f:spec': {
          '.': {},
          ...leaves(['hostnames', 'parentRefs']),
          'f:rules': Object.fromEntries(
            range(rules).map((r) => [
              `k:{"name":"rule-${r}"}`,
              { '.': {}, ...leaves(['backendRefs', 'filters', 'matches', 'timeouts']) },
            ]),
          ),
        },
      };
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    fieldsType: 'FieldsV1',
    fieldsV1,
    manager: MANAGERS[(index + n) % MANAGERS.length],
    operation: 'Update',
    ...(status ? { subresource: 'status' } : {}),
    time: `2026-11-22T15:4${(index + n * 3) % 10}:18Z`,
  };
}

function leaves(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [`f:${name}`, {}]));
}

function parentStatus(index: number): object {
  return {
    conditions: ['Accepted', 'ResolvedRefs', 'Programmed'].map((type) => ({
      lastTransitionTime: '2026-11-22T15:43:19Z',
      message: `Route ${index} is ${type.toLowerCase()} by the gateway's controller`,
      observedGeneration: 1,
      reason: type,
      status: 'True',
      type,
    })),
    controllerName: 'gateway.envoyproxy.io/gatewayclass-controller',
    parentRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'shared' },
  };
}

/** Go's encoder escapes these; JSON.stringify does not. */
function goEscapes(json: string): string {
  return json.replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('&', '\\u0026');
}

function range(length: number): number[] {
  return Array.from({ length }, (_, n) => n);
}

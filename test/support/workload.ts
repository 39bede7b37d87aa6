// A random but repeatable life for the objects of a cluster: created, changed, deleted, made anew under the same name.
import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterClient, KubernetesObject } from './cluster-client.ts';
import { objectPath, type TestResource } from './crd.ts';
import { pick, seededRandom } from './seeded-random.ts';

export interface WorkloadOptions {
  readonly seed: number;
  readonly resources: readonly TestResource[];
  /** Default `team-a`, `team-b`; they have to exist. */
  readonly namespaces?: readonly string[];
  /** How many names a resource's objects take in each namespace. Few names meet often. Default 8. */
  readonly names?: number;
}

export interface Workload {
  /** Makes so many changes, one after the other. Rejects where the server does not take one. */
  run(changes: number): Promise<void>;
  /**
   * Makes changes, at most about `perSecond`, until the signal aborts and the last one is answered. Changes that the
   * server does not take, or of which it is unknown whether it did, are counted and left.
   */
  runUntil(signal: AbortSignal, perSecond: number): Promise<{ readonly made: number; readonly refused: number }>;
}

/** Text that has broken decoders: what splits lines elsewhere, what JSON escapes, what lies outside the BMP. */
const awkward = [
  'plain',
  'line\u2028separator',
  'a "quote" \\ slash',
  '<tag> & more',
  'é 漢 😀',
  '\u0000\u001f',
  '\n\r\t',
  '',
];

export function workload(client: ClusterClient, options: WorkloadOptions): Workload {
  const random = seededRandom(options.seed);
  const { resources, namespaces = ['team-a', 'team-b'], names = 8 } = options;

  async function change(): Promise<void> {
    const resource = pick(random, resources);
    const namespace = pick(random, namespaces);
    const path = objectPath(resource, namespace, `o-${Math.floor(random() * names)}`);
    const present = await client.call('GET', path, undefined, [404]);
    if (present.kind !== resource.kind) await create(client, resource, path, random);
    else if (random() < 0.25) await client.call('DELETE', path);
    else await update(client, present, path, random);
  }

  return {
    async run(changes) {
      for (let made = 0; made < changes; made += 1) await change();
    },
    async runUntil(signal, perSecond) {
      let made = 0;
      let refused = 0;
      while (!signal.aborted) {
        try {
          await change();
          made += 1;
        } catch {
          refused += 1;
        }
        // Resting is all that it does; an abort ends the rest early.
        await delay((random() * 2000) / perSecond, undefined, { signal }).catch(() => undefined);
      }
      return { made, refused };
    },
  };
}

async function create(
  client: ClusterClient,
  { group, version, kind }: TestResource,
  path: string,
  random: () => number,
): Promise<void> {
  const slash = path.lastIndexOf('/');
  await client.call('POST', path.slice(0, slash), {
    apiVersion: `${group}/${version}`,
    kind,
    metadata: { name: path.slice(slash + 1), labels: { tier: pick(random, ['gold', 'silver']) } },
    spec: content(random),
  });
}

async function update(
  client: ClusterClient,
  present: KubernetesObject,
  path: string,
  random: () => number,
): Promise<void> {
  const metadata = { ...present.metadata, labels: { tier: pick(random, ['gold', 'silver']) } };
  await client.call('PUT', path, { ...present, metadata, spec: content(random) });
}

function content(random: () => number): Record<string, unknown> {
  const large = random() < 0.05 ? { filler: 'x'.repeat(Math.floor(random() * 200_000)) } : {};
  return { value: Math.floor(random() * 1e9), text: pick(random, awkward), list: [random() < 0.5, null], ...large };
}

// Clusters out of Istio's remote secrets: Secrets labelled istio/multiCluster=true, each a map from a cluster's name to its
// kubeconfig. They are followed by watch, so clusters join and leave while running.
// Source: https://istio.io/latest/docs/setup/install/multicluster/ (istioctl create-remote-secret)
import { hash } from 'node:crypto';
import type { Problem } from '../../model/cluster.ts';
import { Mk8sError } from '../../model/errors.ts';
import type { ApiServer } from '../../ports/api-server.ts';
import type { Clock, Random } from '../../ports/clock.ts';
import type { ClusterCandidate, ClusterSource } from '../../ports/cluster-source.ts';
import { type Collection, listPages } from './client-list.ts';
import { isRecord } from './client-object.ts';
import { watchCollection } from './client-watch.ts';
import { openApiServer } from './transport.ts';
import { type UntrustedOptions, untrustedConnection } from './untrusted-kubeconfig.ts';

const SOURCE = 'istio';
const LABEL = 'istio/multiCluster=true';

export interface IstioHome {
  /** For messages. */
  readonly name: string;
  readonly api: ApiServer;
}

export interface IstioSourceOptions {
  /** The clusters that hold the secrets; asked at each reading. */
  readonly homes: (signal?: AbortSignal) => Promise<readonly IstioHome[]>;
  /** Where they are; Istio's own default is `istio-system`. */
  readonly namespaces: readonly string[];
  readonly untrusted: UntrustedOptions;
  readonly clock: Clock;
  readonly random: Random;
}

interface Place extends IstioHome {
  readonly namespace: string;
}

/** A place that cannot be read fails the source as a whole (what it named before stays); a secret that is wrong is a problem. */
export function istioSource({ homes, namespaces, untrusted, clock, random }: IstioSourceOptions): ClusterSource {
  /** Where each place's last list ended: a watch from there misses nothing. */
  let positions: readonly { readonly place: Place; readonly resourceVersion: string }[] = [];

  return {
    name: SOURCE,
    async discover(signal) {
      const candidates: ClusterCandidate[] = [];
      const problems: Problem[] = [];
      const read: (typeof positions)[number][] = [];
      const places = (await homes(signal)).flatMap((home) => namespaces.map((namespace) => ({ ...home, namespace })));
      for (const place of places) {
        const { entries, resourceVersion } = await remoteSecrets(place, signal);
        read.push({ place, resourceVersion });
        for (const entry of entries) {
          try {
            candidates.push(await candidateOf(entry, untrusted));
          } catch (error) {
            if (!(error instanceof Mk8sError)) throw error;
            problems.push({ source: SOURCE, message: error.message });
          }
        }
      }
      positions = read;
      return { candidates, problems };
    },
    async changed(signal) {
      const over = new AbortController();
      const settings = { clock, random, signal: AbortSignal.any([signal, over.signal]) };
      const watches = positions.map(async ({ place, resourceVersion }) => {
        const support = { streaming: true };
        const all = { ...collectionOf(place), metadataOnly: true, resourceVersion, onGap: 'relist', support } as const;
        for await (const event of watchCollection({ api: place.api, name: place.name }, { ...all, ...settings })) {
          if (event.type !== 'BOOKMARK') return;
        }
      });
      try {
        await (watches.length === 0 ? new Promise((_, reject) => onAbort(signal, reject)) : Promise.race(watches));
      } finally {
        over.abort(new Error('a change was seen'));
        await Promise.allSettled(watches);
      }
    },
  };
}

function onAbort(signal: AbortSignal, reject: (reason: unknown) => void): void {
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
}

function collectionOf({ namespace }: Place): Collection {
  return {
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`,
    labelSelector: LABEL,
    attempt: `read the remote secrets in namespace ${namespace}`,
  };
}

/** One kubeconfig of a Secret. */
interface RemoteCluster {
  readonly name: string;
  readonly kubeconfig: string;
  /** For messages. */
  readonly origin: string;
}

async function remoteSecrets(
  place: Place,
  signal: AbortSignal | undefined,
): Promise<{ entries: readonly RemoteCluster[]; resourceVersion: string }> {
  const entries: RemoteCluster[] = [];
  const target = { api: place.api, name: place.name };
  const pages = listPages(target, { ...collectionOf(place), ...(signal === undefined ? {} : { signal }) });
  for (;;) {
    const page = await pages.next();
    if (page.done === true) return { entries, resourceVersion: page.value.resourceVersion };
    for (const { name, object } of page.value) entries.push(...clustersOf(name, object, place));
  }
}

function clustersOf(secret: string, object: Uint8Array, { name: home, namespace }: Place): RemoteCluster[] {
  const { data } = JSON.parse(Buffer.from(object).toString('utf8')) as Record<string, unknown>;
  return Object.entries(isRecord(data) ? data : {}).flatMap(([name, value]) => {
    if (typeof value !== 'string') return [];
    const kubeconfig = Buffer.from(value, 'base64').toString('utf8');
    return [{ name, kubeconfig, origin: `Secret ${namespace}/${secret} of cluster "${home}", key ${name}` }];
  });
}

async function candidateOf(
  { name, kubeconfig, origin }: RemoteCluster,
  untrusted: UntrustedOptions,
): Promise<ClusterCandidate> {
  const { options, namespace } = await untrustedConnection(kubeconfig, origin, untrusted);
  const ca = options.tls?.ca;
  return {
    name,
    source: SOURCE,
    server: options.server.href.replace(/\/+$/, ''),
    ...(ca !== undefined && 'pem' in ca ? { certificateAuthority: ca.pem } : {}),
    namespace,
    isDefault: false,
    // Over the whole kubeconfig: a rotated token is another way to the cluster.
    fingerprint: hash('sha256', kubeconfig, 'hex'),
    connect: () => openApiServer({ ...options, name }),
  };
}

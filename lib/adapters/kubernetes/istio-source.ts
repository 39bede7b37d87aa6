// Clusters out of Istio's remote secrets: Secrets labelled istio/multiCluster=true, each a map from a cluster's name to its
// kubeconfig. They are followed by watch, so clusters join and leave while running.
// Source: https://istio.io/latest/docs/setup/install/multicluster/ (istioctl create-remote-secret)
import { hash } from 'node:crypto';
import type { ClusterCandidate, ClusterSource } from '../../ports/cluster-source.ts';
import { isRecord } from './client-object.ts';
import { entryCandidates } from './entry-candidates.ts';
import { type FollowedOptions, type FoundObject, followPlaces } from './followed-places.ts';
import { shownTrust } from './tls-trust.ts';
import { openApiServer } from './transport.ts';
import { type UntrustedOptions, untrustedConnection } from './untrusted-kubeconfig.ts';

const SOURCE = 'istio';

/** `namespaces`: where the secrets are; Istio's own default is `istio-system`. */
export interface IstioSourceOptions extends Omit<FollowedOptions, 'collection'> {
  readonly untrusted: UntrustedOptions;
}

/** A place that cannot be read fails the source as a whole (what it named before stays); a secret that is wrong is a problem. */
export function istioSource({ untrusted, ...places }: IstioSourceOptions): ClusterSource {
  const secrets = followPlaces({
    ...places,
    collection: (namespace) => ({
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`,
      labelSelector: 'istio/multiCluster=true',
      attempt: `read the remote secrets in namespace ${namespace}`,
    }),
  });
  return {
    name: SOURCE,
    async discover(signal) {
      const found = (await secrets.read(signal)).flatMap(clustersOf);
      return await entryCandidates(SOURCE, found, (entry) => candidateOf(entry, untrusted));
    },
    changed: (signal) => secrets.changed(signal),
  };
}

/** One kubeconfig of a Secret. */
interface RemoteCluster {
  readonly name: string;
  readonly kubeconfig: string;
  /** For messages. */
  readonly origin: string;
}

function clustersOf({ place, name: secret, object }: FoundObject): RemoteCluster[] {
  const data = isRecord(object) && isRecord(object['data']) ? object['data'] : {};
  return Object.entries(data).flatMap(([name, value]) => {
    if (typeof value !== 'string') return [];
    const kubeconfig = Buffer.from(value, 'base64').toString('utf8');
    return [
      { name, kubeconfig, origin: `Secret ${place.namespace}/${secret} of cluster "${place.name}", key ${name}` },
    ];
  });
}

async function candidateOf(
  { name, kubeconfig, origin }: RemoteCluster,
  untrusted: UntrustedOptions,
): Promise<ClusterCandidate> {
  const { options, namespace } = await untrustedConnection(kubeconfig, origin, untrusted);
  return {
    name,
    source: SOURCE,
    server: options.server.href.replace(/\/+$/, ''),
    ...(await shownTrust(options.tls)),
    namespace,
    isDefault: false,
    untrusted: true,
    // Over the whole kubeconfig: a rotated token is another way to the cluster.
    fingerprint: hash('sha256', kubeconfig, 'hex'),
    connect: () => openApiServer({ ...options, name }),
  };
}

// A ClusterProfile as it is read: who the cluster is, and by which access providers it is reached. Everything in it was written
// by others, so it is read field by field.
// Source: https://github.com/kubernetes-sigs/cluster-inventory-api (apis/v1alpha1), KEP-4322 and KEP-5339
import { isRecord } from './client-object.ts';
import type { FoundObject } from './followed-places.ts';

export interface AccessProvider {
  /** `google`, or a name of the cluster manager's choice. */
  readonly name: string;
  /** A cluster entry of a kubeconfig, not yet checked. */
  readonly cluster: Readonly<Record<string, unknown>>;
}

export interface ClusterProfile {
  readonly namespace: string;
  readonly name: string;
  /** For messages: `ClusterProfile NAMESPACE/NAME of cluster "HOME"`. */
  readonly origin: string;
  readonly providers: readonly AccessProvider[];
  /** Region or zone. */
  readonly location: string | undefined;
  /** What its manager says of the control plane: `HEALTHY`, `UNHEALTHY`, `UNKNOWN`. */
  readonly state: string;
  /** The object's labels, and the cluster's properties: `cluster.clusterset.k8s.io`, `clusterset.k8s.io`, `location`, … */
  readonly labels: Readonly<Record<string, string>>;
}

export function clusterProfileOf({ place, name, object }: FoundObject): ClusterProfile {
  const { metadata, status } = recordOf(object);
  const { accessProviders, credentialProviders, conditions, properties } = recordOf(status);
  const facts = textsOf(
    Object.fromEntries(listOf(properties).map((property) => [String(property['name']), property['value']])),
  );
  return {
    namespace: place.namespace,
    name,
    origin: `ClusterProfile ${place.namespace}/${name} of cluster "${place.name}"`,
    providers: providersOf(listOf(credentialProviders), listOf(accessProviders)),
    location: facts['location'] ?? facts['topology.kubernetes.io/region'] ?? fleetLocation(metadata),
    state: healthOf(listOf(conditions)),
    labels: { ...textsOf(recordOf(metadata)['labels']), ...facts },
  };
}

/** Both lists count; the older one (`credentialProviders`) gives way where a name is in both. */
function providersOf(
  older: readonly Readonly<Record<string, unknown>>[],
  newer: readonly Readonly<Record<string, unknown>>[],
): AccessProvider[] {
  const byName = new Map<string, AccessProvider>();
  for (const { name, cluster } of [...older, ...newer]) {
    if (typeof name === 'string' && name !== '') byName.set(name, { name, cluster: recordOf(cluster) });
  }
  return [...byName.values()];
}

function healthOf(conditions: readonly Readonly<Record<string, unknown>>[]): string {
  const status = conditions.find(({ type }) => type === 'ControlPlaneHealthy')?.['status'];
  return status === 'True' ? 'HEALTHY' : status === 'False' ? 'UNHEALTHY' : 'UNKNOWN';
}

/** GKE's fleet writes whose profile it is: `projects/N/locations/L/memberships/M`. */
function fleetLocation(metadata: unknown): string | undefined {
  const membership = recordOf(recordOf(metadata)['annotations'])['fleet.gke.io/membershipName'];
  return /^projects\/[^/]+\/locations\/([a-z0-9-]+)\/memberships\/[^/]+$/.exec(String(membership))?.[1];
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return (Array.isArray(value) ? (value as unknown[]) : []).filter(isRecord);
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(recordOf(value));
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

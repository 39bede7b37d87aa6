// A cluster as an object of the Cluster Inventory API.
// Source: https://github.com/kubernetes-sigs/cluster-inventory-api (apis/v1alpha1/clusterprofile_types.go)
import { hash } from 'node:crypto';
import type { ClusterInfo } from '../model/cluster.ts';
import { endpointOf } from './cluster-endpoint.ts';

const MANAGER = 'mk8s';

/** `asOf`: RFC 3339. */
export function profileOf(cluster: ClusterInfo, asOf: string): object {
  const { id, name, version, error, state, project, location, labels, sources } = cluster;
  const properties = Object.entries({ id, project, location, state, sources: sources.join(',') }).flatMap(
    ([key, value]) =>
      value === undefined || value === ''
        ? []
        : [{ name: `mk8s.dev/${key}`, value: value.slice(0, 1_024), lastObservedTime: asOf }],
  );
  const access = endpointOf(cluster);
  return {
    apiVersion: 'multicluster.x-k8s.io/v1alpha1',
    kind: 'ClusterProfile',
    metadata: {
      name: objectName(name),
      ...(id === undefined ? {} : { uid: id }),
      labels: { ...labels, 'x-k8s.io/cluster-manager': MANAGER },
    },
    spec: { displayName: name, clusterManager: { name: MANAGER } },
    status: {
      conditions: [
        {
          type: 'ControlPlaneHealthy',
          status: id === undefined ? (error === undefined ? 'Unknown' : 'False') : 'True',
          reason: id === undefined ? (error === undefined ? 'NotTried' : 'Unreachable') : 'Reached',
          message: error ?? '',
          lastTransitionTime: asOf,
        },
      ],
      ...(version === undefined ? {} : { version: { kubernetes: version } }),
      properties,
      // The newer name, and the one before it.
      accessProviders: [{ name: MANAGER, cluster: access }],
      credentialProviders: [{ name: MANAGER, cluster: access }],
    },
  };
}

/** A DNS subdomain; what had to be changed gets a hash, so that two names stay two. */
function objectName(name: string): string {
  if (/^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/.test(name)) return name;
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  return `${plain.slice(0, 50).replaceAll(/^-+|-+$/g, '')}-${hash('sha256', name, 'hex').slice(0, 8)}`.replace(
    /^-/,
    '',
  );
}

// Sources that need no identity but their own: kubeconfigs, and the cluster of the pod.
import { defaultSources } from '../adapters/kubernetes/context-defaults.ts';
import { inClusterSource } from '../adapters/kubernetes/in-cluster.ts';
import { kubeconfigSource } from '../adapters/kubernetes/kubeconfig.ts';
import type { KubeconfigLocation } from '../adapters/kubernetes/kubeconfig-load.ts';
import type { ClusterSource } from '../ports/cluster-source.ts';

const LOCAL = new Set(['auto', 'kubeconfig', 'in-cluster']);

export function isLocal(name: string): boolean {
  return LOCAL.has(name);
}

/** Of the names, those that are local. */
export function localSources(names: readonly string[], location: KubeconfigLocation): readonly ClusterSource[] {
  return names.filter(isLocal).flatMap((name): readonly ClusterSource[] => {
    if (name === 'in-cluster') return [inClusterSource(location)];
    return name === 'kubeconfig' ? [kubeconfigSource(location)] : defaultSources(location);
  });
}

// Where clusters are looked for when nobody says where: KUBECONFIG, else ~/.kube/config, else the pod's own cluster.
import type { ClusterSource } from '../../ports/cluster-source.ts';
import { type InClusterOptions, inClusterSource } from './in-cluster.ts';
import { type KubeconfigSourceOptions, kubeconfigSource } from './kubeconfig.ts';
import { loadKubeconfig } from './kubeconfig-load.ts';

export type DefaultSourceOptions = Omit<KubeconfigSourceOptions, 'path'> & Pick<InClusterOptions, 'folder'>;

/**
 * The kubeconfig source, and the in-cluster source, which finds something only where no kubeconfig file exists: a
 * broken kubeconfig must not lead to another cluster than the one it names.
 */
export function defaultSources(options: DefaultSourceOptions): readonly ClusterSource[] {
  const inCluster = inClusterSource(options);
  return [
    kubeconfigSource(options),
    {
      name: inCluster.name,
      discover: async (signal) => {
        const { files } = await loadKubeconfig(options);
        return files.length > 0 ? { candidates: [], problems: [] } : await inCluster.discover(signal);
      },
    },
  ];
}

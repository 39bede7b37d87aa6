// Where kubeconfigs are, as the configuration says, and which cluster is current there.
import { homedir } from 'node:os';
import { delimiter } from 'node:path';
import { defaultSources } from '../adapters/kubernetes/context-defaults.ts';
import type { KubeconfigLocation } from '../adapters/kubernetes/kubeconfig-load.ts';
import type { Config } from '../config/options.ts';
import type { ClusterCandidate } from '../ports/cluster-source.ts';

/** Files that are named are merged as those of KUBECONFIG are. */
export function kubeconfigLocation(config: Config, env: NodeJS.ProcessEnv): KubeconfigLocation {
  const named = config.kubeconfig.length > 0 ? { KUBECONFIG: config.kubeconfig.join(delimiter) } : {};
  return { env: { ...env, ...named }, home: env['HOME'] ?? homedir() };
}

/** The context that is current, or the pod's own cluster: whose service account can stand for us. */
export async function currentCluster(
  location: KubeconfigLocation,
  signal?: AbortSignal,
): Promise<ClusterCandidate | undefined> {
  const found = await Promise.all(defaultSources(location).map((source) => source.discover(signal)));
  return found.flatMap(({ candidates }) => candidates).find(({ isDefault }) => isDefault);
}

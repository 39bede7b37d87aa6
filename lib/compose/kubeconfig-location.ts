// Where kubeconfigs are, as the configuration says.
import { homedir } from 'node:os';
import { delimiter } from 'node:path';
import type { KubeconfigLocation } from '../adapters/kubernetes/kubeconfig-load.ts';
import type { Config } from '../config/options.ts';

/** Files that are named are merged as those of KUBECONFIG are. */
export function kubeconfigLocation(config: Config, env: NodeJS.ProcessEnv): KubeconfigLocation {
  const named = config.kubeconfig.length > 0 ? { KUBECONFIG: config.kubeconfig.join(delimiter) } : {};
  return { env: { ...env, ...named }, home: env['HOME'] ?? homedir() };
}

// The cluster whose service account may stand for this process at Google. What finds it is loaded when it is looked for: it is
// most of what there is to load.
import { lazily } from '../async/lazily.ts';
import type { Config } from '../config/options.ts';
import type { ClusterCandidate, ClusterSource } from '../ports/cluster-source.ts';
import type { Context } from './context.ts';
import { kubeconfigLocation } from './kubeconfig-location.ts';

export interface Home {
  /** Undefined where there is none. Asked again whenever a token is needed, so that another context may become current. */
  find(signal?: AbortSignal): Promise<ClusterCandidate | undefined>;
  close(): Promise<void>;
}

/** The default cluster of the local sources that are configured; without one of them, of KUBECONFIG and so on. */
export function currentHome(config: Config, env: NodeJS.ProcessEnv): Home {
  const local = lazily(async (): Promise<readonly ClusterSource[]> => {
    const { isLocal, localSources } = await import('./local-sources.ts');
    const names = config.source.some(isLocal) ? config.source : ['auto'];
    return localSources(names, kubeconfigLocation(config, env));
  });
  return {
    async find(signal) {
      const found = await Promise.all((await local.get()).map((source) => source.discover(signal)));
      return defaultOf(found.flatMap(({ candidates }) => candidates));
    },
    close: () => Promise.resolve(),
  };
}

/** The cluster of the configured sources with this name or id. `find` throws Mk8sError `config` where there is none. */
export function namedHome(cluster: string, config: Config, context: Context): Home {
  const found = lazily(async () => (await import('./find-cluster.ts')).findCluster(cluster, config, context));
  return {
    find: async () => (await found.get()).candidate,
    close: async () => await (await found.opened())?.close(),
  };
}

/** The one that says so of itself, else the only one: among several of which none is current there is none, as for kubectl. */
export function defaultOf(candidates: readonly ClusterCandidate[]): ClusterCandidate | undefined {
  return candidates.find(({ isDefault }) => isDefault) ?? (candidates.length === 1 ? candidates[0] : undefined);
}

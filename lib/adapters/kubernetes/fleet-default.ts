// Where clusters are looked for by default: KUBECONFIG, else ~/.kube/config, else the cluster that this process runs in.
import { join } from 'node:path';
import { systemClock } from '../../async/system-clock.ts';
import type { ClusterCandidate, ClusterSource } from '../../ports/cluster-source.ts';
import { defaultSources } from './context-defaults.ts';
import { type ChooseDefault, type Fleet, loadFleet } from './fleet.ts';
import { kubeconfigSource } from './kubeconfig.ts';
import { type Kubeconfig, type KubeconfigDocument, loadKubeconfig } from './kubeconfig-load.ts';

export interface LoadOptions {
  /** Path of one kubeconfig file, instead of KUBECONFIG, ~/.kube/config and the cluster that this process runs in. */
  readonly kubeconfig?: string;
  /** Only these contexts; one that does not exist is a problem. Default: all. */
  readonly contexts?: readonly string[];
  /** Ask these sources, all of them, instead of the default ones. */
  readonly sources?: readonly ClusterSource[];
  /** Region in which to look first for the default cluster, where no context is current. Default: any. */
  readonly region?: string;
  readonly signal?: AbortSignal;
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder. */
  readonly home: string;
  /** Folder of the pod's service account. Default: where kubelet mounts it. */
  readonly serviceAccountFolder?: string;
  /** The default cluster where nothing says of itself that it is. Default: none. */
  readonly chooseDefault?: ChooseDefault;
}

/** Loads the clusters of the default sources, or of the given ones. Throws nothing for what is wrong with them: see `fleet.problems`. */
export async function loadDefaultFleet(
  options: LoadOptions,
  { env, home, serviceAccountFolder, chooseDefault }: Surroundings,
): Promise<Fleet> {
  const common = {
    clock: systemClock,
    random: Math.random,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(chooseDefault === undefined ? {} : { chooseDefault }),
  };
  if (options.sources !== undefined) {
    const tried = [`asked: ${options.sources.map(({ name }) => name).join(', ') || 'no source'}`];
    return loadFleet({ ...common, sources: options.sources, tried, kubeconfigOf: () => undefined });
  }
  const location = { env, home, ...(options.kubeconfig === undefined ? {} : { path: options.kubeconfig }) };
  const kubeconfig = await loadKubeconfig(location);
  const contexts = options.contexts === undefined ? {} : { contexts: options.contexts };
  const folder = serviceAccountFolder === undefined ? {} : { folder: serviceAccountFolder };
  return loadFleet({
    ...common,
    sources:
      options.kubeconfig === undefined
        ? defaultSources({ env, home, ...contexts, ...folder })
        : [kubeconfigSource({ ...location, ...contexts })],
    tried: whatWasTried(options, kubeconfig, env, home),
    kubeconfigOf: (candidate) => (candidate.source === 'kubeconfig' ? documentOf(kubeconfig, candidate) : undefined),
  });
}

function whatWasTried(options: LoadOptions, { files }: Kubeconfig, env: Surroundings['env'], home: string): string[] {
  const read = files.length === 0 ? undefined : `no context that works in ${files.join(', ')}`;
  if (options.kubeconfig !== undefined) return [read ?? `${options.kubeconfig} does not exist`];
  const pod = env['KUBERNETES_SERVICE_HOST']
    ? 'no service account token in this pod'
    : 'this is not a pod of a cluster';
  if (env['KUBECONFIG']) return [read ?? 'KUBECONFIG names no file that exists', pod];
  return ['KUBECONFIG is not set', read ?? `${join(home, '.kube', 'config')} does not exist`, pod];
}

/** The part of a kubeconfig that one context needs. */
function documentOf({ document }: Kubeconfig, { name }: ClusterCandidate): KubeconfigDocument | undefined {
  const entry = document.contexts.find((each) => each.name === name);
  if (entry === undefined) return undefined;
  return {
    ...document,
    contexts: [entry],
    clusters: document.clusters.filter((each) => each.name === entry.context.cluster),
    users: document.users.filter((each) => each.name === entry.context.user),
    'current-context': name,
  };
}

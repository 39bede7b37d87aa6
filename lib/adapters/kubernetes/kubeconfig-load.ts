// Finds kubeconfig files and merges them as kubectl does.
// Source: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files
import { delimiter, join, resolve } from 'node:path';
import { type KubeconfigFile, parseKubeconfig, readKubeconfigFile } from './kubeconfig-file.ts';
import type { KubeconfigCluster, KubeconfigContext, KubeconfigUser } from './kubeconfig-schema.ts';
import type { Environment } from './proxy-choice.ts';

export interface KubeconfigLocation {
  readonly env: Environment;
  /** The user's home folder: `.kube/config` in it is the default. */
  readonly home: string;
  /** One file instead of KUBECONFIG and the default. */
  readonly path?: string;
}

/** The merged files in the shape of a kubeconfig file; all paths are absolute. Contains secrets. */
export interface KubeconfigDocument {
  readonly apiVersion: 'v1';
  readonly kind: 'Config';
  readonly clusters: readonly { readonly name: string; readonly cluster: KubeconfigCluster }[];
  readonly users: readonly { readonly name: string; readonly user: KubeconfigUser }[];
  readonly contexts: readonly { readonly name: string; readonly context: KubeconfigContext }[];
  readonly 'current-context': string;
}

export interface Kubeconfig {
  readonly document: KubeconfigDocument;
  /** Name → the file that it came from. */
  readonly origins: {
    readonly clusters: ReadonlyMap<string, string>;
    readonly users: ReadonlyMap<string, string>;
    readonly contexts: ReadonlyMap<string, string>;
  };
  /** Files that exist, in order of precedence. Empty where there is no kubeconfig at all. */
  readonly files: readonly string[];
  readonly problems: readonly string[];
}

/**
 * Loads `path`, else the files of KUBECONFIG (empty and missing ones are passed over), else `HOME/.kube/config`. The
 * first file that has a cluster, user or context of a name decides it as a whole; likewise current-context.
 * What is wrong becomes a problem; nothing is thrown.
 */
export async function loadKubeconfig(location: KubeconfigLocation): Promise<Kubeconfig> {
  const { paths, asked } = kubeconfigPaths(location);
  const files: KubeconfigFile[] = [];
  for (const path of paths) {
    const file = await readKubeconfigFile(path);
    if (file !== undefined) files.push(file);
  }
  const missing =
    files.length === 0 && asked !== ''
      ? [`No kubeconfig was found: ${asked} names ${paths.join(', ') || 'no file'}, which does not exist. Correct it.`]
      : [];
  return { ...mergeKubeconfigs(files), problems: [...missing, ...files.flatMap((file) => file.problems)] };
}

/** A kubeconfig that is no file. `origin` is what messages name: `Secret istio-system/a, key b`. */
export function kubeconfigOfText(text: string, origin: string): Kubeconfig {
  const file = parseKubeconfig(text, origin);
  return { ...mergeKubeconfigs([file]), problems: file.problems };
}

function kubeconfigPaths({ env, home, path }: KubeconfigLocation): { paths: string[]; asked: string } {
  if (path !== undefined) return { paths: [resolve(path)], asked: 'the path option' };
  const list = env['KUBECONFIG'] ?? '';
  if (list === '') return { paths: [join(home, '.kube', 'config')], asked: '' };
  const paths = list.split(delimiter).filter((entry) => entry !== '');
  return { paths: [...new Set(paths.map((entry) => resolve(entry)))], asked: 'KUBECONFIG' };
}

/** `files` in order of precedence. */
function mergeKubeconfigs(files: readonly KubeconfigFile[]): Omit<Kubeconfig, 'problems'> {
  const clusters = firstWins(files, (file) => file.clusters);
  const users = firstWins(files, (file) => file.users);
  const contexts = firstWins(files, (file) => file.contexts);
  return {
    document: {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [...clusters.values].map(([name, cluster]) => ({ name, cluster })),
      users: [...users.values].map(([name, user]) => ({ name, user })),
      contexts: [...contexts.values].map(([name, context]) => ({ name, context })),
      'current-context': files.find((file) => file.currentContext !== '')?.currentContext ?? '',
    },
    origins: { clusters: clusters.origins, users: users.origins, contexts: contexts.origins },
    files: files.map((file) => file.path),
  };
}

function firstWins<T>(
  files: readonly KubeconfigFile[],
  part: (file: KubeconfigFile) => ReadonlyMap<string, T>,
): { values: Map<string, T>; origins: Map<string, string> } {
  const values = new Map<string, T>();
  const origins = new Map<string, string>();
  for (const file of files) {
    for (const [name, value] of part(file)) {
      if (values.has(name)) continue;
      values.set(name, value);
      origins.set(name, file.path);
    }
  }
  return { values, origins };
}

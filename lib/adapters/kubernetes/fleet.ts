// Loads the clusters that one has access to: `const fleet = await loadClusters()`. Nothing is connected by that.
import type { Problem } from '../../model/cluster.ts';
import { Mk8sError, messageOf } from '../../model/errors.ts';
import type { Clock, Random } from '../../ports/clock.ts';
import type { ClusterCandidate, ClusterSource } from '../../ports/cluster-source.ts';
import { Cluster } from './cluster.ts';
import type { KubeconfigDocument } from './kubeconfig-load.ts';

/** Where to look, and what goes with it. */
export interface FleetSettings {
  /** Asked in turn. */
  readonly sources: readonly ClusterSource[];
  /** What was tried, for the message where no cluster was found: `KUBECONFIG is not set`, … */
  readonly tried: readonly string[];
  /** The kubeconfig of a candidate, where it has one. */
  readonly kubeconfigOf: (candidate: ClusterCandidate) => KubeconfigDocument | undefined;
  /** The default where no candidate is it. Default: none. */
  readonly chooseDefault?: ChooseDefault;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal?: AbortSignal;
}

export type ChooseDefault = (candidates: readonly ClusterCandidate[]) => ClusterCandidate | undefined;

/** Asks the sources. What is wrong with one of them, or with one entry, is a problem and not an end. */
export async function loadFleet(settings: FleetSettings): Promise<Fleet> {
  const { sources, signal } = settings;
  const candidates: ClusterCandidate[] = [];
  const problems: Problem[] = [];
  for (const source of sources) {
    signal?.throwIfAborted();
    try {
      const found = await source.discover(signal);
      candidates.push(...found.candidates);
      problems.push(...found.problems);
    } catch (error) {
      signal?.throwIfAborted();
      problems.push({ source: source.name, message: messageOf(error) });
    }
  }
  const clusters: Cluster[] = [];
  const theDefault = candidates.find((candidate) => candidate.isDefault) ?? settings.chooseDefault?.(candidates);
  for (const [candidate, ...others] of sameWays(candidates)) {
    try {
      clusters.push(
        new Cluster({
          candidate,
          aliases: others.map(({ name }) => name),
          isDefault: theDefault !== undefined && [candidate, ...others].includes(theDefault),
          api: candidate.connect(),
          kubeconfig: settings.kubeconfigOf(candidate),
          clock: settings.clock,
          random: settings.random,
        }),
      );
    } catch (error) {
      if (!(error instanceof Mk8sError)) throw error;
      problems.push({ source: candidate.source, message: error.message });
    }
  }
  return new Fleet(clusters, problems, settings.tried);
}

/** The clusters that one has access to. Close it when done: connections are kept open for a minute. */
export class Fleet implements AsyncDisposable {
  /** In the sources' order: contexts as in the kubeconfig. */
  readonly clusters: readonly Cluster[];
  /** What was wrong on the way: contexts that cannot work, files that do not parse; in sentences that name them. */
  readonly problems: readonly Problem[];
  readonly #tried: readonly string[];

  constructor(clusters: readonly Cluster[], problems: readonly Problem[], tried: readonly string[]) {
    this.clusters = clusters;
    this.problems = problems;
    this.#tried = tried;
  }

  /**
   * The kubeconfig's current context, else the cluster that the process runs in, else the one that MESH_URL names, else of
   * those whose place is known one by region and name (docs/discovery.md), else the only one there is. Throws Mk8sError `config` where there is none, with what was tried, or where there are several and none is current.
   */
  get default(): Cluster {
    const cluster =
      this.clusters.find(({ isDefault }) => isDefault) ?? (this.clusters.length === 1 ? this.clusters[0] : undefined);
    if (cluster !== undefined) return cluster;
    if (this.clusters.length > 0) {
      throw new Mk8sError(
        `Cannot tell the default cluster: no context is current, and there are ${this.clusters.length}: ${this.#names()}; choose one by fleet.get(name), or set one by "kubectl config use-context"`,
        { code: 'config' },
      );
    }
    throw this.#nothing('Cannot tell the default cluster: no cluster was found');
  }

  /**
   * The cluster of this name, alias or id (ids are known from sources that say them, and after `cluster.identity()`).
   * Throws Mk8sError `config` where there is none.
   */
  get(name: string): Cluster {
    const cluster =
      this.clusters.find((each) => each.name === name) ??
      this.clusters.find((each) => each.aliases.includes(name)) ??
      this.clusters.find((each) => each.id === name);
    if (cluster !== undefined) return cluster;
    if (this.clusters.length === 0) throw this.#nothing(`Cannot find cluster "${name}": no cluster was found at all`);
    throw new Mk8sError(`Cannot find cluster "${name}": there are ${this.#names()}`, { code: 'config' });
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    await Promise.all(this.clusters.map((cluster) => cluster.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #names(): string {
    return this.clusters.map(({ name }) => `"${name}"`).join(', ');
  }

  #nothing(what: string): Mk8sError {
    const reasons = [...this.#tried, ...this.problems.map(({ message }) => message)].map((reason) =>
      reason.replace(/\.$/, ''),
    );
    return new Mk8sError([what, ...reasons].join('; '), { code: 'config' });
  }
}

/** Contexts that differ in their name alone (same cluster, same user, same namespace) are one cluster; the default's name first. */
function sameWays(candidates: readonly ClusterCandidate[]): readonly [ClusterCandidate, ...ClusterCandidate[]][] {
  const groups = new Map<string, [ClusterCandidate, ...ClusterCandidate[]]>();
  for (const candidate of candidates) {
    const key = `${candidate.source}\n${candidate.fingerprint}\n${candidate.namespace}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [candidate]);
    else if (candidate.isDefault) group.unshift(candidate);
    else group.push(candidate);
  }
  return [...groups.values()];
}

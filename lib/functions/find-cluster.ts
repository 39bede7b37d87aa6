// Which cluster is meant, among those that the caller may know of. What may not be known and what is not there look the same.
import type { ClusterInfo } from '../model/cluster.ts';
import { mayKnow } from '../policy/decide.ts';
import type { VerifiedCaller } from '../ports/caller.ts';
import { Problem } from './problems.ts';
import type { Services } from './services.ts';

/** By id, else by name or alias. Throws Problem `cluster-not-found` or `ambiguous-cluster`. */
export function findCluster(
  wanted: string,
  clusters: readonly ClusterInfo[],
  caller: VerifiedCaller,
  { policy }: Pick<Services, 'policy'>,
): ClusterInfo {
  const known = clusters.filter((cluster) => mayKnow(policy, caller, namesOf(cluster)));
  const byId = known.filter(({ id }) => id === wanted);
  const found = byId.length > 0 ? byId : known.filter(({ name, aliases }) => [name, ...aliases].includes(wanted));
  const [cluster, another] = found;
  if (cluster === undefined) throw new Problem('cluster-not-found');
  if (another !== undefined) throw new Problem('ambiguous-cluster', { detail: 'Use its id instead' });
  return cluster;
}

export function namesOf({ id, name, aliases }: ClusterInfo): {
  readonly id?: string;
  readonly name: string;
  readonly aliases: readonly string[];
} {
  return { ...(id === undefined ? {} : { id }), name, aliases };
}

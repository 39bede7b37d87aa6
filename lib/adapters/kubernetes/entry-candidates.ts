// Clusters that are named by entries of one source, each of which may be wrong by itself (promise 8).
import type { Problem } from '../../model/cluster.ts';
import { Mk8sError } from '../../model/errors.ts';
import type { ClusterCandidate } from '../../ports/cluster-source.ts';

/** One after the other, in their order. What an entry throws as Mk8sError is a problem of that entry; anything else ends it all. */
export async function entryCandidates<T>(
  source: string,
  entries: readonly T[],
  candidateOf: (entry: T) => Promise<ClusterCandidate>,
): Promise<{ readonly candidates: readonly ClusterCandidate[]; readonly problems: readonly Problem[] }> {
  const candidates: ClusterCandidate[] = [];
  const problems: Problem[] = [];
  for (const entry of entries) {
    try {
      candidates.push(await candidateOf(entry));
    } catch (error) {
      if (!(error instanceof Mk8sError)) throw error;
      problems.push({ source, message: error.message });
    }
  }
  return { candidates, problems };
}

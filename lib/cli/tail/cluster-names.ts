// Cluster names for people, from the status rows that a run writes beside the feed.
import type { StreamRef } from '../../model/stream.ts';
import type { StatusStore } from '../../ports/status-store.ts';

export interface ClusterNames {
  /** The name, where known so far. */
  readonly get: (stream: StreamRef) => string | undefined;
  /** Looks again if an unknown cluster was asked for since the last look. True where names became known. */
  readonly refresh: () => Promise<boolean>;
}

export function clusterNames(status: StatusStore): ClusterNames {
  const names = new Map<string, string>();
  const unknown = new Set<string>();
  return {
    get(stream) {
      const name = names.get(stream.cluster);
      if (name === undefined) unknown.add(stream.cluster);
      return name;
    },
    async refresh() {
      if (unknown.size === 0) return false;
      for (const row of (await status.read()).streams) names.set(row.stream.cluster, row.clusterName);
      const learnt = [...unknown].some((cluster) => names.has(cluster));
      unknown.clear();
      return learnt;
    },
  };
}

// A fleet that does not exist, for planning.
import type { ClusterDemand } from './fleet-plan.ts';

export interface Simulation {
  readonly clusters: number;
  /** Followed in each cluster. */
  readonly resources: number;
  /** Clusters that are reached through the gateway; the others are reached directly. */
  readonly gateway: number;
  /** Fleet host projects that these are spread over. */
  readonly projects: number;
  /** Tasks that share the streams. */
  readonly shards: number;
}

/** Clusters with the same resources, their streams shared evenly; a real inventory's are shared by hash, nearly so. */
export function simulatedFleet({
  clusters,
  resources,
  gateway,
  projects,
  shards,
}: Simulation): readonly ClusterDemand[] {
  let next = 0;
  return Array.from({ length: clusters }, (_, index) => {
    const streams = Array.from({ length: shards }, () => 0);
    for (let left = resources; left > 0; left -= 1) {
      streams[next] = (streams[next] ?? 0) + 1;
      next = (next + 1) % shards;
    }
    const name = `cluster-${index + 1}`;
    if (index >= gateway) return { name, resources, streams };
    const project = projects === 1 ? 'project' : `project-${(index % projects) + 1}`;
    return { name, gateway: `Connect Gateway of ${project}`, resources, streams };
  });
}

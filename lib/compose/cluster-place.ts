// Where a cluster is and what a workload identity pool calls it, as far as its name tells: gcloud writes contexts so.
import type { ClusterCandidate } from '../ports/cluster-source.ts';

export interface ClusterPlace {
  /** Google Cloud project id. */
  readonly project?: string;
  /** Region or zone. */
  readonly location?: string;
  readonly name?: string;
  /** The identity provider of `PROJECT.svc.id.goog` for it. */
  readonly provider?: string;
}

/** Empty for a cluster that is no GKE cluster and no fleet membership. */
export function clusterPlace({ name: full }: Pick<ClusterCandidate, 'name'>): ClusterPlace {
  const { kind, project, location, name } =
    /^(?<kind>gke|connectgateway)_(?<project>[^_/]+)_(?<location>[a-z0-9-]+)_(?<name>[a-z0-9-]+)$/.exec(full)?.groups ??
    {};
  if (project === undefined || location === undefined || name === undefined) return {};
  const provider =
    kind === 'gke'
      ? `https://container.googleapis.com/v1/projects/${project}/locations/${location}/clusters/${name}`
      : `https://gkehub.googleapis.com/projects/${project}/locations/${location}/memberships/${name}`;
  return { project, location, name, provider };
}

// The ways to clusters as one list: two ways that lead to one cluster are one cluster.
import type { ClusterInfo, ClusterPlacement, Problem } from '../model/cluster.ts';
import { type ClusterId, clusterId } from '../model/stream.ts';
import type { ApiServer } from '../ports/api-server.ts';
import type { ClusterCandidate } from '../ports/cluster-source.ts';
import type { ClusterAnswer } from '../ports/resource-discovery.ts';

/** A cluster that was reached. */
export interface ReachedCluster {
  readonly id: ClusterId;
  readonly name: string;
  readonly api: ApiServer;
  /** Changes when the way to it changed: endpoint or credentials. */
  readonly fingerprint: string;
}

export interface Inventory {
  readonly infos: readonly ClusterInfo[];
  readonly reached: readonly ReachedCluster[];
  readonly problems: readonly Problem[];
  /** True once every source answered and every candidate was tried at least once. */
  readonly complete: boolean;
}

/** One way to a cluster, and what came of trying it. */
export interface Way {
  readonly candidate: ClusterCandidate;
  api?: ApiServer;
  identity?: ClusterAnswer;
  error?: string;
  tried: boolean;
}

/** Two sources, or two contexts, that lead to one cluster are one cluster: the default's way first, else the first found. */
export function merge(ways: readonly Way[], problems: readonly Problem[], answered: boolean): Inventory {
  const byId = new Map<string, [Way, ...Way[]]>();
  for (const way of ways.toSorted((a, b) => Number(b.candidate.isDefault) - Number(a.candidate.isDefault))) {
    const id = identityOf(way) ?? `unknown\n${keyOf(way.candidate)}`;
    const group = byId.get(id);
    if (group === undefined) byId.set(id, [way]);
    else group.push(way);
  }
  const groups = [...byId.values()];
  return {
    infos: groups.map(infoOf),
    reached: groups.flatMap((group) => {
      const first = group.find((way) => way.identity !== undefined);
      if (first?.identity === undefined || first.api === undefined) return [];
      const { name, fingerprint } = first.candidate;
      return [{ id: clusterId(identityOf(first) ?? first.identity.id), name, api: first.api, fingerprint }];
    }),
    problems,
    complete: answered && ways.every((way) => way.tried),
  };
}

/** What the cluster says of itself; where it may not be asked, what its platform calls it, or else its address. */
function identityOf({ candidate, identity }: Way): string | undefined {
  return identity?.byAddress === true ? (candidate.id ?? identity.id) : identity?.id;
}

/** What any of the ways to a cluster knows of its place. */
function placementOf(group: readonly Way[]): ClusterPlacement {
  const candidate = group.find((way) => way.candidate.state !== undefined)?.candidate;
  if (candidate === undefined) return {};
  const { project, location, state, labels } = candidate;
  return {
    ...(project === undefined ? {} : { project }),
    ...(location === undefined ? {} : { location }),
    ...(state === undefined ? {} : { state }),
    ...(labels === undefined ? {} : { labels }),
  };
}

function infoOf(group: readonly [Way, ...Way[]]): ClusterInfo {
  const reached = group.find((way) => way.identity !== undefined);
  const first = reached ?? group[0];
  const { name, server, namespace, certificateAuthority } = first.candidate;
  const id = reached === undefined ? undefined : identityOf(reached);
  const aliases = group.map((way) => way.candidate.name).filter((alias) => alias !== name);
  const error = reached === undefined ? first.error : undefined;
  return {
    ...placementOf(group),
    ...(id === undefined ? {} : { id: clusterId(id) }),
    name,
    aliases: [...new Set(aliases)],
    sources: [...new Set(group.map((way) => way.candidate.source))],
    server,
    ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
    namespace,
    isDefault: group.some((way) => way.candidate.isDefault),
    ...(reached?.identity === undefined ? {} : { version: reached.identity.version }),
    ...(error === undefined ? {} : { error }),
  };
}

export function keyOf(candidate: ClusterCandidate): string {
  return `${candidate.source}\n${candidate.name}\n${candidate.fingerprint}`;
}

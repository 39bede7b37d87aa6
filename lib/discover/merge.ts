// The ways to clusters as one list: two ways that lead to one cluster are one cluster.
import type { ClusterInfo, ClusterPlacement, Problem } from '../model/cluster.ts';
import { type ClusterId, clusterId } from '../model/stream.ts';
import type { ApiServer } from '../ports/api-server.ts';
import type { ClusterCandidate } from '../ports/cluster-source.ts';
import type { ClusterAnswer } from '../ports/resource-discovery.ts';
import { chooseDefault, type DefaultWish, unmetWish } from './default-cluster.ts';

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
export function merge(
  ways: readonly Way[],
  problems: readonly Problem[],
  answered: boolean,
  wish: DefaultWish = {},
): Inventory {
  const byId = new Map<string, [Way, ...Way[]]>();
  const known = knownByPlatform(ways);
  for (const way of ways.toSorted((a, b) => Number(b.candidate.isDefault) - Number(a.candidate.isDefault))) {
    const named = way.candidate.id ?? '';
    const id = identityOf(way) ?? known.get(named) ?? `unknown\n${named === '' ? keyOf(way.candidate) : named}`;
    const group = byId.get(id);
    if (group === undefined) byId.set(id, [way]);
    else group.push(way);
  }
  const groups = [...byId.values()];
  const found = groups.map((group) => ({ info: infoOf(group), unavailable: whyPassedOver(group) }));
  const choosable = found.map(({ info, unavailable }) => ({ ...info, unavailable }));
  const chosen = choosable.indexOf(chooseDefault(choosable, wish) as (typeof choosable)[number]);
  const unmet = answered ? unmetWish(choosable, wish) : undefined;
  return {
    infos: found.map(({ info }, index) => ({ ...info, isDefault: index === chosen })),
    reached: groups.flatMap((group) => {
      const first = group.find((way) => way.identity !== undefined);
      if (first?.identity === undefined || first.api === undefined) return [];
      const { name, fingerprint } = first.candidate;
      return [{ id: clusterId(identityOf(first) ?? first.identity.id), name, api: first.api, fingerprint }];
    }),
    problems: unmet === undefined ? problems : [...problems, { source: 'default cluster', message: unmet }],
    complete: answered && ways.every((way) => way.tried),
  };
}

/**
 * What a platform calls a cluster → what the cluster says of itself: a way that is not open (a private endpoint) leads to
 * the cluster that another way of the same platform name reached.
 */
function knownByPlatform(ways: readonly Way[]): ReadonlyMap<string, string> {
  const known = new Map<string, string>();
  for (const way of ways) {
    const id = identityOf(way);
    if (id !== undefined && way.candidate.id !== undefined && !known.has(way.candidate.id)) {
      known.set(way.candidate.id, id);
    }
  }
  return known;
}

/** What the cluster says of itself; where it may not be asked, what its platform calls it, or else its address. */
function identityOf({ candidate, identity }: Way): string | undefined {
  return identity?.byAddress === true ? (candidate.id ?? identity.id) : identity?.id;
}

/** What any of the ways to a cluster knows of its place. */
function placementOf(group: readonly Way[]): ClusterPlacement {
  const candidate = group.find(({ candidate: { state, location } }) => (state ?? location) !== undefined)?.candidate;
  if (candidate === undefined) return {};
  const { project, location, state, labels } = candidate;
  return {
    ...(project === undefined ? {} : { project }),
    ...(location === undefined ? {} : { location }),
    ...(state === undefined ? {} : { state }),
    ...(labels === undefined ? {} : { labels }),
  };
}

/** Why it is not the default unless it is named; undefined where it may be. */
function whyPassedOver(group: readonly Way[]): string | undefined {
  const trusted = group.filter(({ candidate }) => candidate.untrusted !== true);
  if (trusted.length === 0) return 'only an object of a cluster names it';
  const usable = trusted.some(({ candidate }) => candidate.unavailable === undefined);
  return usable ? undefined : trusted[0]?.candidate.unavailable;
}

function infoOf(group: readonly [Way, ...Way[]]): ClusterInfo {
  const reached = group.find((way) => way.identity !== undefined);
  const first = reached ?? group[0];
  const { name, server, namespace, certificateAuthority, tlsServerName } = first.candidate;
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
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
    namespace,
    isDefault: group.some((way) => way.candidate.isDefault),
    ...(reached?.identity === undefined ? {} : { version: reached.identity.version }),
    ...(error === undefined ? {} : { error }),
    ...(error === undefined || first.candidate.unavailable === undefined ? {} : { unavailable: true }),
  };
}

export function keyOf(candidate: ClusterCandidate): string {
  return `${candidate.source}\n${candidate.name}\n${candidate.fingerprint}`;
}

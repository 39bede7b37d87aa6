// Inventory × wanted resources → streams. Pure: the same on every task and in a simulation.
import type { ResourceInfo } from '../model/resource.ts';
import { type ClusterId, type StreamKey, type StreamRef, streamKey } from '../model/stream.ts';
import { resourcePattern } from './resource-pattern.ts';
import { ownerOf } from './shard.ts';

/** What an operator asked for. */
export interface Wanted {
  /** Patterns (`resourcePattern`); empty means every custom resource. */
  readonly resources: readonly string[];
  readonly excludeResources: readonly string[];
  /** Empty means all namespaces, and cluster-scoped resources too. */
  readonly namespaces: readonly string[];
  readonly labelSelector?: string;
  readonly shard: { readonly index: number; readonly count: number };
}

export interface PlannedStream {
  readonly stream: StreamRef;
  readonly info: ResourceInfo;
}

/** The streams of this task in one cluster, by key. Only what can be listed and watched. */
export function planStreams(
  cluster: ClusterId,
  resources: readonly ResourceInfo[],
  wanted: Wanted,
): ReadonlyMap<StreamKey, PlannedStream> {
  const selects = resourceSelection(wanted);
  const planned = resources
    .filter((info) => info.verbs.includes('list') && info.verbs.includes('watch') && selects(info))
    .flatMap((info) => selectorsOf(info, wanted).map((stream) => ({ stream: { cluster, ...stream }, info })))
    .map((plan) => [streamKey(plan.stream), plan] as const);
  const { index, count } = wanted.shard;
  return new Map(planned.filter(([key]) => count <= 1 || ownerOf(key, count) === index));
}

/** The streams of a cluster by task: how many each of `count` tasks takes, whichever task this is. */
export function streamsByTask(streams: Iterable<StreamKey>, count: number): readonly number[] {
  const taken = Array.from({ length: count }, () => 0);
  for (const key of streams) {
    const owner = count <= 1 ? 0 : ownerOf(key, count);
    taken[owner] = (taken[owner] ?? 0) + 1;
  }
  return taken;
}

/** Whether a resource is wanted at all, namespaces and shards aside. */
function resourceSelection(wanted: Wanted): (info: ResourceInfo) => boolean {
  const included = wanted.resources.map(resourcePattern);
  const excluded = wanted.excludeResources.map(resourcePattern);
  return (info) => {
    const named = included.length === 0 ? info.custom : included.some((matches) => matches(info));
    return named && !excluded.some((matches) => matches(info));
  };
}

/** One stream for all namespaces, or one for each wanted one; what has no namespace is left out then. */
function selectorsOf(info: ResourceInfo, wanted: Wanted): Omit<StreamRef, 'cluster'>[] {
  const { group, plural } = info;
  const labels = wanted.labelSelector === undefined ? {} : { labelSelector: wanted.labelSelector };
  if (wanted.namespaces.length === 0) return [{ group, plural, selector: labels }];
  if (!info.namespaced) return [];
  return wanted.namespaces.map((namespace) => ({ group, plural, selector: { namespace, ...labels } }));
}

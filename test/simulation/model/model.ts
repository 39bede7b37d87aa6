// What all checks share: the record, the truth of each cluster, and what every run was asked to follow.

import { formatGroupResource, type GroupResource } from '../../../lib/model/resource.ts';
import type { ClusterId, StreamRef } from '../../../lib/model/stream.ts';
import type { BridgeProcess, BridgeSettings } from '../bridge-process.ts';
import type { Faults } from '../fault-dice.ts';
import type { Scheduler } from '../scheduler.ts';
import type { ClusterTruth } from '../server/truth.ts';
import type { SimFolder } from '../store.ts';
import type { BlindSpots } from './blind-spots.ts';
import type { Fail } from './observer.ts';
import type { RecordModel } from './record.ts';
import type { Timeline } from './timeline.ts';

/** A cluster as the model knows it. */
export interface KnownCluster {
  readonly id: ClusterId;
  readonly name: string;
  /** No fault of its own strikes it. */
  readonly honest: boolean;
  readonly truth: ClusterTruth;
  readonly timeline: Timeline;
  /** What it sent, `RESOURCE UID RV [TYPE]`. */
  readonly served: { readonly events: ReadonlySet<string>; readonly listed: ReadonlySet<string> };
}

export interface Model {
  readonly record: RecordModel;
  readonly clusters: ReadonlyMap<ClusterId, KnownCluster>;
  readonly settings: BridgeSettings;
  readonly sinks: readonly string[];
  readonly tails: readonly string[];
  /** Streams that could not notice a restore. */
  readonly blindSpots: BlindSpots;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  /** Nothing but clusters, and the ways to them, has faults. */
  readonly onlyClustersFail: boolean;
  /** Bridges that run now. */
  readonly bridges: () => readonly BridgeProcess[];
  /** The store as it is. */
  readonly store: SimFolder;
  /** Whether positions grow in the whole log, not only in each stream. */
  readonly oneLog: boolean;
  readonly fail: Fail;
}

/** Resources that a run follows, of those that there are. */
export function isFollowed({ resources }: BridgeSettings['wanted'], resource: GroupResource): boolean {
  const name = formatGroupResource(resource);
  return resources.length === 0 ? resource.group.endsWith('example.com') : resources.includes(name);
}

/** `widgets.example.com in a`: a stream for people. */
export function nameOf(model: Pick<Model, 'clusters'>, stream: StreamRef): string {
  const where = stream.selector.namespace === undefined ? '' : `/${stream.selector.namespace}`;
  return `${formatGroupResource(stream)}${where} in ${model.clusters.get(stream.cluster)?.name ?? stream.cluster}`;
}

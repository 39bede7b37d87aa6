// The one restore that cannot be seen (docs/watch.md): the newest states of a stream were found by a list, an object from before
// the restore is as recorded, and the cluster has passed the recorded position again before anybody looked. What it did between
// the restore and that position is then unknown to the stream, until something else tells of the restore. It is counted, and
// what it does to that epoch of that stream is no finding; everything else of the stream is checked as always.

import { compareResourceVersions, type ResourceVersion, resourceVersion } from '../../../lib/model/resource-version.ts';
import type { ClusterId, StreamKey } from '../../../lib/model/stream.ts';
import type { KnownCluster } from './model.ts';
import type { RecordModel, StreamRecord } from './record.ts';

export interface BlindSpots {
  /** Notices restores; to be called at every step, before the checks. */
  look(): void;
  /** Whether the stream's present epoch may mix two lives of its cluster. */
  has(stream: Pick<StreamRecord, 'key' | 'epoch'>): boolean;
}

/** A stream whose cluster was restored, and that could not notice it once the cluster has passed its position. */
interface Candidate {
  readonly stream: StreamRecord;
  readonly cluster: KnownCluster;
  readonly epoch: number;
  readonly position: ResourceVersion;
}

export function createBlindSpots(
  record: RecordModel,
  clusters: ReadonlyMap<ClusterId, KnownCluster>,
  count: (what: string) => void,
): BlindSpots {
  const lives = new Map<ClusterId, number>();
  const blind = new Map<StreamKey, number>();
  /** The last epoch in which a first sync came to its end. */
  const synced = new Map<StreamKey, number>();
  let candidates: Candidate[] = [];

  function restored(cluster: KnownCluster, to: ResourceVersion): void {
    for (const stream of record.streams.values()) if (stream.ref.cluster === cluster.id) met(stream, cluster, to);
  }

  /** A restore `to` happened after the stream's position. */
  function met(stream: StreamRecord, cluster: KnownCluster, to: ResourceVersion): void {
    const { resourceVersion: position, epoch } = stream;
    if (position === undefined || compareResourceVersions(position, to) <= 0) return;
    if (endsInWatch(stream) || !hasWitness(stream, to)) return;
    candidates.push({ stream, cluster, epoch, position });
  }

  /**
   * The first position of an epoch is that of a list. Where no list of the cluster's present life is as of it, the restore came
   * between the list's answer and its record (a slow line, a store that is full): that it came later makes no difference.
   */
  function recorded(stream: StreamRecord): void {
    const { key, ref, epoch, resourceVersion: position } = stream;
    const cluster = clusters.get(ref.cluster);
    if (cluster === undefined || position === undefined || synced.get(key) === epoch) return;
    synced.set(key, epoch);
    const own = cluster.truth.listedIn(ref, position);
    if (own === undefined) return;
    for (const life of cluster.timeline.lives()) {
      const fork = life > own ? cluster.timeline.forkOf(life) : undefined;
      if (fork !== undefined) met(stream, cluster, fork);
    }
  }

  return {
    look() {
      for (const cluster of clusters.values()) {
        const all = cluster.timeline.lives();
        for (const life of all.slice(lives.get(cluster.id) ?? 1)) {
          const fork = cluster.timeline.forkOf(life);
          if (fork !== undefined) restored(cluster, fork);
        }
        lives.set(cluster.id, all.length);
      }
      for (const stream of record.streams.values()) recorded(stream);
      candidates = candidates.filter(({ stream, cluster, epoch, position }) => {
        if (stream.epoch !== epoch || stream.resourceVersion !== position) return false;
        if (compareResourceVersions(resourceVersion(cluster.truth.resourceVersion), position) < 0) return true;
        // Of two restores, either is enough.
        if (blind.get(stream.key) !== epoch) count('restore that cannot be seen');
        blind.set(stream.key, epoch);
        return false;
      });
    },
    has: ({ key, epoch }) => blind.get(key) === epoch,
  };
}

/** Then a watch tells the newest change again, and nothing is hidden. */
function endsInWatch({ revisions }: StreamRecord): boolean {
  const [before, newest] = revisions.slice(-2);
  return (
    before !== undefined &&
    newest !== undefined &&
    before.origin === 'watch' &&
    newest.origin === 'watch' &&
    before.epoch === newest.epoch &&
    compareResourceVersions(before.resourceVersion, newest.resourceVersion) < 0
  );
}

function hasWitness({ last, epoch }: StreamRecord, to: ResourceVersion): boolean {
  return [...last.values()].some(
    (revision) =>
      revision.type !== 'delete' &&
      revision.epoch === epoch &&
      compareResourceVersions(revision.resourceVersion, to) <= 0,
  );
}

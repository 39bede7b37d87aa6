// Which lives of a cluster's data a stream's record can stand for: those on whose timeline every object lies that is
// recorded as alive in its present epoch. None: the epoch mixes two lives.
//
// Objects that are recorded as deleted do not count: where all that a restore undid is gone anyway, nobody can tell it from
// ordinary deletions.
import type { Revision } from '../../../lib/model/revision.ts';
import type { KnownCluster } from './model.ts';
import type { StreamRecord } from './record.ts';

export function livesOf(cluster: KnownCluster, stream: StreamRecord): readonly number[] {
  const lives = cluster.timeline.lives();
  if (lives.length === 1) return lives;
  const live = [...stream.last.values()].filter(({ type, epoch }) => type !== 'delete' && epoch === stream.epoch);
  return lives.filter((life) => live.every((revision) => isOn(cluster, stream, revision, life)));
}

function isOn({ timeline }: KnownCluster, { ref }: StreamRecord, revision: Revision, life: number): boolean {
  return timeline
    .ofObject(ref, revision.uid)
    .some((write) => write.resourceVersion === revision.resourceVersion && timeline.isIn(life, write));
}

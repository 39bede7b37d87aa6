// Which lives of a cluster's data an epoch of a stream can stand for: those on whose timeline everything lies that was
// recorded in it. None left: the epoch mixes two lives.
import type { Revision } from '../../../lib/model/revision.ts';
import type { KnownCluster } from './model.ts';
import type { StreamRecord } from './record.ts';

interface Known {
  epoch: number;
  /** Revisions looked at. */
  seen: number;
  /** Lives that were looked at; those made later may fit too. */
  lives: number;
  excluded: Set<number>;
}

const known = new WeakMap<StreamRecord, Known>();

/** Lives that fit the stream's present epoch. */
export function livesOf(cluster: KnownCluster, stream: StreamRecord): readonly number[] {
  const lives = cluster.timeline.lives();
  let state = known.get(stream);
  if (state === undefined || state.epoch !== stream.epoch || state.lives !== lives.length) {
    state = { epoch: stream.epoch, seen: 0, lives: lives.length, excluded: new Set() };
    known.set(stream, state);
  }
  for (; state.seen < stream.revisions.length; state.seen += 1) {
    const revision = stream.revisions[state.seen] as Revision;
    if (revision.epoch !== stream.epoch || isByAbsence(revision)) continue;
    const writes = cluster.timeline
      .ofObject(stream.ref, revision.uid)
      .filter((write) => write.resourceVersion === revision.resourceVersion);
    for (const life of lives) {
      if (!writes.some((write) => cluster.timeline.isIn(life, write))) state.excluded.add(life);
    }
  }
  const { excluded } = state;
  return lives.filter((life) => !excluded.has(life));
}

/** A tombstone that a comparison found: it repeats the last known state. */
export function isByAbsence({ type, origin }: Revision): boolean {
  return type === 'delete' && origin !== 'watch';
}

// Promise 1, as it can be seen while things happen: what is recorded did happen, and a recorded position is never beyond what
// was recorded: every write up to it is there, or a later state of its object is.

import { formatGroupResource } from '../../../lib/model/resource.ts';
import { compareResourceVersions, type ResourceVersion } from '../../../lib/model/resource-version.ts';
import { type ObjectKey, objectKey, type Revision } from '../../../lib/model/revision.ts';
import type { StreamKey } from '../../../lib/model/stream.ts';
import { livesOf } from '../model/lives.ts';
import { type KnownCluster, type Model, nameOf } from '../model/model.ts';
import type { Check } from '../model/observer.ts';
import type { StreamRecord } from '../model/record.ts';
import type { Written } from '../model/timeline.ts';

export function nothingLost(model: Model): Check {
  const moved = new Set<StreamRecord>();
  const progress = new Map<StreamKey, Progress>();

  function checkRevision(stream: StreamRecord, cluster: KnownCluster, revision: Revision): void {
    const { uid, resourceVersion, type } = revision;
    const key = objectKey(revision.namespace, revision.name);
    const writes = cluster.timeline.ofObject(stream.ref, uid);
    const told = `${type} of ${key} (uid ${uid}, resourceVersion ${resourceVersion}) in ${nameOf(model, stream.ref)}`;
    if (type === 'delete') {
      if (!wasEverAbsent(cluster, stream, writes)) {
        model.fail(1, `recorded a ${told}, and it was never deleted`);
      }
      return;
    }
    const same = writes.filter((write) => write.resourceVersion === resourceVersion && write.type !== 'delete');
    if (same.length === 0) return model.fail(1, `recorded a ${told} that never was`);
    const text = Buffer.from(revision.object).toString();
    const version = versionOf(revision);
    const secret = formatGroupResource(stream.ref) === 'secrets';
    if (secret || same.some((write) => write.text(version) === text)) return;
    model.fail(1, `recorded other content for a ${told}: ${text} instead of ${same[0]?.text(version)}`);
  }

  return {
    onAppend(_process, ref, batch, revisions) {
      const stream = model.record.of(ref);
      const cluster = model.clusters.get(ref.cluster);
      if (cluster === undefined)
        return model.fail(1, `recorded changes of a cluster that does not exist: ${ref.cluster}`);
      for (const revision of revisions) checkRevision(stream, cluster, revision);
      if (batch.resourceVersion !== undefined) moved.add(stream);
    },
    onStep() {
      for (const stream of moved) checkPosition(model, stream, progress);
      moved.clear();
    },
  };
}

/** Deleted at some time, or cut off by a restore. */
function wasEverAbsent(cluster: KnownCluster, stream: StreamRecord, writes: readonly Written[]): boolean {
  if (writes.some(({ type }) => type === 'delete')) return true;
  const born = writes[0];
  if (born === undefined) return false;
  if (cluster.timeline.lives().some((life) => !cluster.timeline.isIn(life, born))) return true;
  return ![...cluster.truth.present(stream.ref).values()].some(({ uid }) => uid === born.uid);
}

/** Of each object, the last write up to the position must be recorded, or a state that is not older. */
function checkPosition(model: Model, stream: StreamRecord, progress: Map<StreamKey, Progress>): void {
  const { resourceVersion, epoch, ref, key } = stream;
  const cluster = model.clusters.get(ref.cluster);
  if (resourceVersion === undefined || cluster === undefined || model.settings.ignoreNoop) return;
  if (model.blindSpots.has(stream)) return;
  const lives = cluster.timeline.lives().length;
  let state = progress.get(key);
  if (state === undefined || state.epoch !== epoch || state.lives !== lives) {
    state = { epoch, lives, through: new Map() };
    progress.set(key, state);
  }
  const { through } = state;
  const fitting = livesOf(cluster, stream);
  if (fitting.length === 0) {
    model.fail(10, `epoch ${epoch} of ${nameOf(model, ref)} mixes two lives of the cluster: a restore went unnoticed`);
  }
  const missing = fitting.map((life) => missingIn(cluster, life, stream, resourceVersion, through));
  if (missing.some((each) => each === undefined)) return;
  model.fail(
    1,
    `the recorded position of ${nameOf(model, ref)} is ${resourceVersion} in epoch ${epoch}, and ${missing[0]}`,
  );
}

/** How far the writes of each life were found in the record; what is recorded only moves forward within an epoch. */
interface Progress {
  readonly epoch: number;
  readonly lives: number;
  readonly through: Map<number, number>;
}

/** What is not recorded up to a position if this life is the epoch's, undefined where nothing is missing. */
function missingIn(
  { timeline }: KnownCluster,
  life: number,
  { ref, last, epoch }: StreamRecord,
  position: ResourceVersion,
  through: Map<number, number>,
): string | undefined {
  const newest = new Map<ObjectKey, Written>();
  const writes = timeline.writes(ref);
  let index = through.get(life) ?? 0;
  for (; index < writes.length; index += 1) {
    const write = writes[index] as Written;
    if (!timeline.isIn(life, write)) continue;
    if (compareResourceVersions(write.resourceVersion, position) > 0) break;
    if (selects(ref.selector.namespace, write.key)) newest.set(write.key as ObjectKey, write);
  }
  for (const [key, write] of newest) {
    // Pages that went on from a fresh token are newer than the position: the watch from there will tell of what went.
    const went = (later: Written): boolean =>
      later.uid === write.uid && later.type === 'delete' && timeline.isIn(life, later);
    // Unknown, or known as deleted: of an earlier object of that name.
    const known = last.get(key);
    if ((known === undefined || known.type === 'delete') && writes.slice(index).some(went)) continue;
    const told = missingWrite(key, write, last.get(key), epoch);
    if (told !== undefined) return told;
  }
  through.set(life, index);
  return undefined;
}

function missingWrite(
  key: ObjectKey,
  write: Written,
  recorded: Revision | undefined,
  epoch: number,
): string | undefined {
  const told = `the ${write.type} of ${key} at ${write.resourceVersion}`;
  if (recorded === undefined) return write.type === 'delete' ? undefined : `${told} is not recorded`;
  if (recorded.epoch === epoch && compareResourceVersions(recorded.asOf, write.resourceVersion) >= 0) return undefined;
  const isSame = recorded.uid === write.uid && recorded.resourceVersion === write.resourceVersion;
  const holds = write.type === 'delete' ? recorded.type === 'delete' : isSame && recorded.type !== 'delete';
  return holds ? undefined : `${told} is not recorded, but ${describe(recorded)}`;
}

function describe({ type, resourceVersion, asOf, epoch, uid }: Revision): string {
  return `a ${type} at ${resourceVersion} (as of ${asOf}, epoch ${epoch}, uid ${uid})`;
}

function selects(namespace: string | undefined, key: string): boolean {
  return namespace === undefined || key.startsWith(`${namespace}/`);
}

function versionOf({ apiVersion }: Revision): string {
  return apiVersion.slice(apiVersion.indexOf('/') + 1);
}

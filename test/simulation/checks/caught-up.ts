// Liveness, and promise 1 at the end: what every stream, every sink and every tail holds is what the clusters have, object by
// object.
import { formatGroupResource, type GroupResource } from '../../../lib/model/resource.ts';
import type { Revision } from '../../../lib/model/revision.ts';
import { streamKey } from '../../../lib/model/stream.ts';
import { isFollowed, type KnownCluster, type Model, nameOf } from '../model/model.ts';
import type { Check } from '../model/observer.ts';
import type { StreamRecord } from '../model/record.ts';
import { isNamespaced } from '../resources.ts';
import type { Arrival } from '../sink.ts';

export interface CaughtUp extends Check {
  /** What is still missing, in sentences; empty where all have caught up. */
  missing(): readonly string[];
}

type Materialised = Map<string, Map<string, Revision>>;

export function caughtUp(model: Model): CaughtUp {
  const subscribers = new Map<string, Materialised>();
  const heard = new Set<string>();

  function apply(who: string, revision: Revision): void {
    const stream = streamKey(revision.stream);
    const first = `${who} ${stream} ${revision.sequence}`;
    if (heard.has(first)) return;
    heard.add(first);
    let streams = subscribers.get(who);
    if (streams === undefined) subscribers.set(who, (streams = new Map()));
    let objects = streams.get(stream);
    if (objects === undefined) streams.set(stream, (objects = new Map()));
    const key = `${revision.namespace}/${revision.name}`;
    if (revision.type === 'delete') objects.delete(key);
    else objects.set(key, revision);
  }

  return {
    onArrival(who, _process, { revision }: Arrival) {
      apply(who, revision);
    },
    onSettled(who, _process, revision, how) {
      // People see to a dead letter.
      if (how === 'refused') apply(who, revision);
    },
    missing() {
      const found: string[] = [];
      for (const stream of model.record.streams.values()) {
        const cluster = model.clusters.get(stream.ref.cluster);
        if (cluster === undefined) continue;
        const told = describe(stream, cluster);
        // What a record may lack, subscribers lack as well.
        if (!model.blindSpots.has(stream)) {
          compare(`the record of ${told}`, liveOf(stream), stream, cluster, model, found);
          for (const who of [...model.sinks, ...model.tails]) {
            const has = subscribers.get(who)?.get(stream.key) ?? new Map<string, Revision>();
            compare(`${who}'s ${told}`, has, stream, cluster, model, found);
          }
        }
        if ((stream.checkpoint?.published ?? 0) !== stream.revisions.length) {
          found.push(
            `the checkpoint of ${told} is ${stream.checkpoint?.published}, of ${stream.revisions.length} revisions`,
          );
        }
        const { resourceVersion } = stream.checkpoint ?? {};
        if (stream.resourceVersion !== resourceVersion) {
          found.push(`the checkpoint of ${told} has ${resourceVersion}, the record ${stream.resourceVersion}`);
        }
      }
      found.push(...unshown(model));
      for (const cluster of model.clusters.values()) {
        for (const resource of cluster.truth.resources()) found.push(...unfollowed(cluster, resource));
      }
      return found;
    },
  };

  function unfollowed(cluster: KnownCluster, resource: GroupResource): string[] {
    if (!isFollowed(model.settings.wanted, resource)) return [];
    const { namespaces } = model.settings.wanted;
    if (namespaces.length > 0 && !isNamespaced(resource)) return [];
    const selectors = namespaces.length === 0 ? [{}] : namespaces.map((namespace) => ({ namespace }));
    return selectors
      .map((selector) => ({ ...resource, cluster: cluster.id, selector }))
      .filter((stream) => model.record.streams.get(streamKey(stream))?.resourceVersion === undefined)
      .map(() => `${formatGroupResource(resource)} in ${cluster.name} was never synchronised`);
  }
}

/** Promise 10: what the runs show of each stream is that it is watched, and how far it is. */
function unshown(model: Model): string[] {
  const rows = model.bridges().flatMap(({ board, process }) => board.snapshot(process.clock.now()));
  return [...model.record.streams.values()].flatMap((stream) => {
    const { key, ref, epoch, revisions } = stream;
    const served = model.clusters
      .get(ref.cluster)
      ?.truth.resources()
      .some(({ group, plural }) => group === ref.group && plural === ref.plural);
    if (served !== true) return [];
    const shown = rows.filter((row) => streamKey(row.stream) === key);
    const right = shown.some(
      (row) =>
        row.state === 'watching' &&
        row.epoch === epoch &&
        row.recorded === revisions.length &&
        row.published === revisions.length &&
        isCount(row.objects, stream) &&
        row.currentAt === row.updatedAt &&
        row.error === undefined,
    );
    const told = JSON.stringify(shown.map((row) => ({ ...row, stream: undefined })));
    return right ? [] : [`no run shows ${nameOf(model, ref)} as watched and current: ${told}`];
  });
}

/**
 * Objects as they can be counted from revisions alone: of an object that was made anew between two pages that are not of one moment,
 * the making is not told, only what came after it. A run that took the stream over since began with the record's own count.
 */
function isCount(shown: number, { revisions, last }: StreamRecord): boolean {
  const gone = new Set<string>();
  let untold = 0;
  for (const { namespace, name, type } of revisions) {
    const key = `${namespace}/${name}`;
    if (type !== 'add' && gone.has(key)) untold += 1;
    if (type === 'delete') gone.add(key);
    else gone.delete(key);
  }
  const live = liveOf({ last }).size;
  return shown <= live && shown >= live - untold;
}

function describe(stream: StreamRecord, cluster: KnownCluster): string {
  return `${formatGroupResource(stream.ref)} in ${cluster.name}`;
}

function liveOf(stream: Pick<StreamRecord, 'last'>): Map<string, Revision> {
  return new Map([...stream.last].filter(([, revision]) => revision.type !== 'delete'));
}

function compare(
  what: string,
  has: ReadonlyMap<string, Revision>,
  { ref }: StreamRecord,
  cluster: KnownCluster,
  model: Model,
  found: string[],
): void {
  const { namespace } = ref.selector;
  const isServed = cluster.truth.resources().some(({ group, plural }) => group === ref.group && plural === ref.plural);
  const all = isServed ? [...cluster.truth.present(ref)] : [];
  const present = new Map(all.filter(([key]) => namespace === undefined || key.startsWith(`${namespace}/`)));
  for (const [key, object] of present) {
    const ours = has.get(key);
    if (ours === undefined) {
      found.push(`${what} lacks ${key} (uid ${object.uid}, resourceVersion ${object.resourceVersion})`);
    } else if (
      ours.uid !== object.uid ||
      (!model.settings.ignoreNoop && ours.resourceVersion !== object.resourceVersion)
    ) {
      found.push(
        `${what} has ${key} at ${ours.resourceVersion} (uid ${ours.uid}), not at ${object.resourceVersion} (uid ${object.uid})`,
      );
    }
  }
  for (const [key, ours] of has) {
    if (!present.has(key))
      found.push(`${what} still has ${key} (uid ${ours.uid}, resourceVersion ${ours.resourceVersion})`);
  }
}

// Promise 2: the record of an object moves forward within an epoch and chains its revisions; who subscribes hears of them
// in that order, each for the first time only after the one before.
import { compareResourceVersions } from '../../../lib/model/resource-version.ts';
import { type ObjectKey, objectKey, type Revision } from '../../../lib/model/revision.ts';
import { type StreamKey, streamKey } from '../../../lib/model/stream.ts';
import { type Model, nameOf } from '../model/model.ts';
import type { Check } from '../model/observer.ts';

export function order(model: Model): Check {
  /** By stream: sequence numbers that are no gap. */
  const next = new Map<StreamKey, number>();
  const newest = new Map<StreamKey, Map<ObjectKey, Revision>>();
  /** By subscriber and stream: what it has, or was told that it will never have. */
  const heard = new Map<string, Set<number>>();
  /** By stream, or of all where there is one log. */
  const positions = new Map<string, number>();

  function heardBy(who: string, stream: StreamKey): Set<number> {
    const name = `${who} ${stream}`;
    let found = heard.get(name);
    if (found === undefined) heard.set(name, (found = new Set()));
    return found;
  }

  function recordInOrder(revision: Revision): void {
    const { stream, sequence, position, previous, epoch, type, uid, resourceVersion, asOf } = revision;
    const key = streamKey(stream);
    const told = `${type} of ${revision.namespace}/${revision.name} at ${resourceVersion} in ${nameOf(model, stream)}`;
    const expected = (next.get(key) ?? 0) + 1;
    if (sequence !== expected) model.fail(2, `${told} is revision ${sequence}, and ${expected} was next`);
    next.set(key, sequence);
    const log = model.oneLog ? 'all' : key;
    const last = positions.get(log) ?? 0;
    if (position <= last) model.fail(2, `${told} has position ${position} after ${last}`);
    positions.set(log, position);
    let objects = newest.get(key);
    if (objects === undefined) newest.set(key, (objects = new Map()));
    const object = objectKey(revision.namespace, revision.name);
    const before = objects.get(object);
    objects.set(object, revision);
    if (previous !== (before?.sequence ?? 0)) {
      model.fail(2, `${told} follows revision ${previous} of its object, and ${before?.sequence ?? 0} was its last`);
    }
    if (before === undefined) return;
    if (before.epoch > epoch) model.fail(2, `${told} is of epoch ${epoch}, after one of epoch ${before.epoch}`);
    if (before.epoch === epoch && compareResourceVersions(asOf, before.asOf) < 0) {
      model.fail(2, `${told} (as of ${asOf}) is recorded after a state of its object as of ${before.asOf}`);
    }
    if (before.type !== 'delete' && before.uid !== uid) {
      model.fail(1, `${told} takes the place of another object (uid ${before.uid}) that has no tombstone`);
    }
  }

  return {
    onAppend(_process, _stream, _batch, revisions) {
      for (const revision of revisions) recordInOrder(revision);
    },
    onArrival(who, process, { revision }) {
      const { stream, sequence, previous, namespace, name } = revision;
      const has = heardBy(who, streamKey(stream));
      if (!has.has(sequence) && previous > 0 && !has.has(previous) && !isRemoved(revision)) {
        model.fail(
          2,
          `${who} heard of revision ${sequence} of ${namespace}/${name} in ${nameOf(model, stream)} from ${process.name} before revision ${previous} of the same object`,
        );
      }
      has.add(sequence);
    },
    onSettled(who, _process, revision, how) {
      if (how === 'refused') heardBy(who, streamKey(revision.stream)).add(revision.sequence);
    },
  };

  /** Retention may take the revision before it was read by a tail; nothing that a sink still needs. */
  function isRemoved(_revision: Revision): boolean {
    return model.settings.retention !== undefined;
  }
}

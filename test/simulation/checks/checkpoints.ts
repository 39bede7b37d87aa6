// Promise 4: a checkpoint never runs ahead of what is recorded and acknowledged by every sink without a gap, nor does its
// resourceVersion, nor a subscription of what its reader was handed.
import { compareResourceVersions } from '../../../lib/model/resource-version.ts';
import type { Revision } from '../../../lib/model/revision.ts';
import { type StreamKey, streamKey } from '../../../lib/model/stream.ts';
import { type Model, nameOf } from '../model/model.ts';
import type { Check } from '../model/observer.ts';

export function checkpoints(model: Model): Check {
  const settled = new Map<string, Prefix>();
  const handed = new Map<string, Set<number>>();

  function settledBy(sink: string, stream: StreamKey): Prefix {
    const name = `${sink} ${stream}`;
    let found = settled.get(name);
    if (found === undefined) settled.set(name, (found = new Prefix()));
    return found;
  }

  return {
    onSettled(sink, _process, revision) {
      settledBy(sink, streamKey(revision.stream)).add(revision.sequence);
    },
    onArrival(who, _process, { revision }) {
      if (!model.tails.includes(who)) return;
      let positions = handed.get(who);
      if (positions === undefined) handed.set(who, (positions = new Set()));
      positions.add(revision.position);
    },
    onCheckpoint(process, ref, next) {
      const stream = model.record.of(ref);
      const told = `the checkpoint of ${nameOf(model, ref)} that ${process.name} wrote (published ${next.published}, resourceVersion ${next.resourceVersion}, epoch ${next.epoch})`;
      if (next.published > stream.revisions.length) {
        model.fail(4, `${told} is ahead of the record, which has ${stream.revisions.length} revisions`);
      }
      for (const sink of model.sinks) {
        const { length } = settledBy(sink, stream.key);
        if (next.published > length)
          model.fail(4, `${told} is ahead of what ${sink} acknowledged without a gap: ${length}`);
      }
      const before = stream.checkpoint;
      if (before !== undefined && next.published < before.published) {
        model.fail(4, `${told} goes back from ${before.published}`);
      }
      const { resourceVersion, epoch } = next;
      if (resourceVersion === undefined) return;
      const unpublished = stream.revisions
        .slice(next.published)
        .find(
          (each) =>
            each.epoch === epoch && !isByAbsence(each) && compareResourceVersions(each.asOf, resourceVersion) <= 0,
        );
      if (unpublished !== undefined)
        model.fail(4, `${told} covers revision ${unpublished.sequence}, which is not published`);
      const beyond =
        epoch === stream.epoch &&
        (stream.resourceVersion === undefined || compareResourceVersions(resourceVersion, stream.resourceVersion) > 0);
      if (beyond) model.fail(4, `${told} is beyond the recorded position ${stream.resourceVersion}`);
    },
    onAcknowledged(process, subscription, position) {
      const has = handed.get(subscription);
      const missing = allRevisions(model).find(
        (revision) => revision.position <= position && has?.has(revision.position) !== true,
      );
      if (missing === undefined || model.settings.retention !== undefined) return;
      model.fail(
        4,
        `${process.name} acknowledged position ${position} of subscription ${subscription}, and was not handed position ${missing.position}`,
      );
    },
  };
}

function allRevisions(model: Model): Revision[] {
  return [...model.record.streams.values()].flatMap(({ revisions }) => revisions);
}

/** A tombstone that a comparison found: when the object went is not known, only that it was after its last state. */
function isByAbsence({ type, origin }: Revision): boolean {
  return type === 'delete' && origin !== 'watch';
}

/** How far 1, 2, 3 … goes without a gap. */
class Prefix {
  length = 0;
  readonly #beyond = new Set<number>();

  add(sequence: number): void {
    this.#beyond.add(sequence);
    while (this.#beyond.delete(this.length + 1)) this.length += 1;
  }
}

// Promise 3: whoever receives a change can read its revision at that moment.
import { type Model, nameOf } from '../model/model.ts';
import type { Check } from '../model/observer.ts';

/** One arrival in so many is read from the store itself: that unpacks a frame. */
const READ_EVERY = 20;

export function readable(model: Model): Check {
  const reading = new Set<Promise<void>>();
  let arrivals = 0;
  return {
    onArrival(who, process, { revision, attributes, object }) {
      const { stream, sequence } = revision;
      const told = `revision ${sequence} of ${nameOf(model, stream)} arrived at ${who} from ${process.name}`;
      const recorded = model.record.of(stream).revisions[sequence - 1];
      if (recorded === undefined) return model.fail(3, `${told} and is not recorded`);
      const { uid, resourceVersion, type, epoch } = recorded;
      const isSame =
        revision.uid === uid &&
        attributes.resourceversion === resourceVersion &&
        attributes.type.endsWith(type) &&
        attributes.epoch === epoch &&
        Buffer.compare(object, recorded.object) === 0;
      if (!isSame) return model.fail(3, `${told}, and what is recorded under that number is something else`);
      arrivals += 1;
      if (arrivals % READ_EVERY !== 0) return;
      const read = model.store.log.revision(stream, sequence).then((found) => {
        reading.delete(read);
        if (found === undefined && model.settings.retention === undefined) model.fail(3, `${told} and cannot be read`);
        if (found !== undefined && Buffer.compare(found.object, object) !== 0)
          model.fail(3, `${told} and reads otherwise`);
      });
      reading.add(read);
    },
    async onEnd() {
      await Promise.all(reading);
    },
  };
}

// Promise 5: the id of a change is the documented hash, the same at every delivery, after any crash, and no other's.
import { createHash } from 'node:crypto';
import type { Model } from '../model/model.ts';
import type { Check } from '../model/observer.ts';

export function ids(model: Model): Check {
  const changes = new Map<string, string>();
  const recorded = new Map<string, number>();
  return {
    onAppend(_process, stream, _batch, revisions) {
      for (const { epoch, uid, resourceVersion, type, sequence } of revisions) {
        const change = `${stream.cluster} ${epoch} ${uid} ${resourceVersion} ${type}`;
        const before = recorded.get(change);
        if (before !== undefined) {
          model.fail(
            5,
            `the change ${change} is recorded twice, as revision ${before} and ${sequence}: its id is not unique`,
          );
        }
        recorded.set(change, sequence);
      }
    },
    onArrival(who, _process, { attributes, revision }) {
      const { epoch, uid, resourceVersion, type, stream, sequence } = revision;
      const parts = [stream.cluster, epoch, uid, resourceVersion, type];
      const change = `${parts.join(' ')} revision ${sequence}`;
      const known = changes.get(attributes.id);
      if (known === change) return;
      if (known !== undefined) model.fail(5, `${who} got ${attributes.id} for ${change}; before it stood for ${known}`);
      changes.set(attributes.id, change);
      const expected = createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32);
      if (attributes.id !== expected)
        model.fail(5, `${who} got ${attributes.id} as the id of ${change}, not ${expected}`);
    },
  };
}

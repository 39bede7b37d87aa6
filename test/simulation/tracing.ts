// What takes effect, as lines of a trace.

import type { Revision } from '../../lib/model/revision.ts';
import { type StreamRef, streamKey } from '../../lib/model/stream.ts';
import type { Check } from './model/observer.ts';
import type { Trace } from './trace.ts';

export function tracing(trace: Trace): Check {
  const say = (text: () => string): void => trace.say(text);
  const short = (stream: StreamRef): string => streamKey(stream).replace(/^([^-/]{4})[^/]*/, '$1');
  const told = ({ sequence, type, origin, namespace, name, resourceVersion, epoch, uid }: Revision): string =>
    `#${sequence} ${type} (${origin}) ${namespace}/${name} rv ${resourceVersion} epoch ${epoch} uid ${uid.slice(0, 4)}`;
  return {
    onAppend(process, stream, { fence, epoch, resourceVersion, changes }, revisions) {
      say(
        () =>
          `${process.name} appends to ${short(stream)}, fence ${fence}, epoch ${epoch}, position ${resourceVersion ?? 'as it was'}, ${changes.length} changes, new: ${revisions.map(told).join('; ') || 'none'}`,
      );
    },
    onCheckpoint(process, stream, { published, resourceVersion, fence, epoch }) {
      say(
        () =>
          `${process.name} checkpoints ${short(stream)}: published ${published}, position ${resourceVersion}, epoch ${epoch}, fence ${fence}`,
      );
    },
    onLease(process, { name, fence }) {
      say(() => `${process.name} has the lease ${name.replace(/-[^/]*/, '')}, fence ${fence}`);
    },
    onPosition(process, stream, { epoch, sequence, resourceVersion }) {
      say(
        () =>
          `${process.name} reads where ${short(stream)} stands: ${sequence}, epoch ${epoch}, position ${resourceVersion}`,
      );
    },
    onAcknowledged(process, subscription, position) {
      say(() => `${process.name} acknowledges ${subscription} up to position ${position}`);
    },
    onInventory(process, clusters) {
      const each = clusters.map(
        ({ name, aliases, id, error }) => `${[name, ...aliases].join('=')} ${id?.slice(0, 4) ?? error}`,
      );
      say(() => `${process.name} knows ${each.join(', ') || 'no cluster'}`);
    },
    onArrival(who, process, { revision }) {
      say(() => `${who} gets from ${process.name} ${short(revision.stream)} ${told(revision)}`);
    },
    onSettled(who, process, revision, how) {
      say(() => `${process.name} is told by ${who} that ${short(revision.stream)} #${revision.sequence} is ${how}`);
    },
  };
}

// The revision log of a data folder.

import type { Known } from '../../history/recent-states.ts';
import type { LastState, Revision } from '../../model/revision.ts';
import type { StreamRef } from '../../model/stream.ts';
import type { RevisionLog } from '../../ports/revision-log.ts';
import type { AppendQueue } from './append-queue.ts';
import type { Database } from './database.ts';
import { type FrameTable, revisionAt } from './frame-table.ts';
import type { LastStates } from './last-states.ts';
import type { StreamRow, StreamTable } from './stream-table.ts';

interface Parts {
  readonly streams: StreamTable;
  readonly frames: FrameTable;
  readonly last: LastStates;
  readonly queue: AppendQueue;
}

export function createDiskLog(database: Database, { streams, frames, last, queue }: Parts): RevisionLog {
  const withStream = <T>(attempted: string, ref: StreamRef, body: (stream: StreamRow) => T): T | undefined =>
    database.read(attempted, () => {
      const stream = streams.find(ref);
      return stream && body(stream);
    });

  /** One revision, its object copied so that it does not keep the whole frame in memory. */
  const revisionOf = (stream: StreamRow, sequence: number): Revision | undefined => {
    const frame = frames.after(stream, sequence - 1);
    const index = frame?.entries.findIndex((entry) => entry.sequence === sequence) ?? -1;
    if (frame === undefined || index < 0) return undefined;
    const revision = revisionAt(frame, index, stream.ref);
    return { ...revision, object: revision.object.slice() };
  };

  return {
    async position(ref) {
      const found = withStream('read where a stream stands', ref, (stream) => stream);
      if (found === undefined) return { epoch: 0, sequence: 0, objects: 0 };
      const { epoch, sequence, objects, resourceVersion } = found;
      return { epoch, sequence, objects, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
    },

    append: (ref, batch) => queue.append(ref, batch),

    async read(ref, after, { changes, bytes }) {
      const page: Revision[] = [];
      let size = 0;
      withStream('read revisions', ref, (stream) => {
        let next = after;
        for (;;) {
          const frame = frames.after(stream, next);
          if (frame === undefined) return;
          for (const [i, { sequence }] of frame.entries.entries()) {
            if (sequence <= after) continue;
            if (page.length > 0 && (page.length >= changes || size > bytes)) return;
            const revision = revisionAt(frame, i, stream.ref);
            page.push(revision);
            size += revision.object.length;
          }
          next = frame.lastSequence;
        }
      });
      return page;
    },

    async revision(ref, sequence) {
      return withStream('read a revision', ref, (stream) => revisionOf(stream, sequence));
    },

    async *revisionsOf(ref, key) {
      let sequence =
        withStream('read the revisions of an object', ref, (stream) => last.get(stream, key)?.sequence) ?? 0;
      // One transaction each: a slow consumer holds nothing open.
      while (sequence > 0) {
        const wanted = sequence;
        const revision = withStream('read a revision', ref, (stream) => revisionOf(stream, wanted));
        if (revision === undefined) return;
        yield revision;
        sequence = revision.previous;
      }
    },

    async lastStates(ref, after, limit) {
      const page = withStream('read last states', ref, (stream) => last.page(stream, after, limit));
      return (page ?? []).map(lastState);
    },

    async lastState(ref, key) {
      const known = withStream('read a last state', ref, (stream) => last.get(stream, key));
      return known && lastState(known);
    },

    async streams(cluster) {
      return database.read('list streams', () => streams.all(cluster));
    },
  };
}

function lastState({ namespace, name, uid, resourceVersion, asOf, epoch, sequence, deleted }: Known): LastState {
  return { namespace, name, uid, resourceVersion, asOf, epoch, sequence, deleted };
}

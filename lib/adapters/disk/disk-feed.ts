// Reads the whole log of a data folder in the order of recording.
import type { Revision } from '../../model/revision.ts';
import type { Feed } from '../../ports/feed.ts';
import type { ChangeSignal } from './change-signal.ts';
import type { Database } from './database.ts';
import { type Frame, type FrameTable, revisionAt } from './frame-table.ts';
import { storageError } from './storage-error.ts';
import type { StreamRow, StreamTable } from './stream-table.ts';

interface Parts {
  readonly streams: StreamTable;
  readonly frames: FrameTable;
  readonly changes: ChangeSignal;
}

/** A page looks at no more frames than this, wanted or not: reading is synchronous, and others want their turn. */
const maxFramesPerPage = 256;
/** Nor does it unpack more than this many times the bytes asked for to find what passes the filter. */
const maxBytesPerByte = 8;

export function createDiskFeed(database: Database, { streams, frames, changes }: Parts): Feed {
  const readLog = database.sql.prepare('SELECT position, removed FROM log');
  const readFirst = database.sql.prepare('SELECT first FROM frame ORDER BY id LIMIT 1');
  const log = () => {
    try {
      const found = readLog.get();
      return { head: Number(found?.['position']), removed: Number(found?.['removed']) };
    } catch (error) {
      throw storageError(error, 'read where the log ends', database.folder);
    }
  };
  /** What of a stream's row never changes. */
  const known = new Map<number, Pick<StreamRow, 'id' | 'key' | 'ref'>>();
  const streamOf = (id: number) => {
    const found = known.get(id) ?? streams.byId(id);
    if (found !== undefined) known.set(id, { id, key: found.key, ref: found.ref });
    return found;
  };

  return {
    async read(after, { bytes, wants = () => true, accepts = () => true }) {
      // First the end, then the frames: everything up to that end is there.
      const { head } = log();
      const answers = new Map<number, boolean>();
      const page: Revision[] = [];
      let size = 0;
      let unpacked = 0;
      let position = after;
      const listed = frames.list(after, maxFramesPerPage);
      for (const { id, streamId } of listed) {
        const stream = streamOf(streamId);
        const wanted = stream !== undefined && (answers.get(streamId) ?? wants(stream.ref));
        answers.set(streamId, wanted);
        const frame = wanted ? frames.load(id, stream) : undefined;
        if (frame !== undefined && stream !== undefined) {
          const from = page.length;
          for (const [i, entry] of frame.entries.entries()) {
            if (entry.position <= position) continue;
            const enough = size >= bytes || unpacked >= bytes * maxBytesPerByte;
            if (enough && position > after) {
              detach(page, from, frame);
              return { revisions: page, position, atEnd: false };
            }
            position = entry.position;
            unpacked += entry.bytes;
            const revision = revisionAt(frame, i, stream.ref);
            if (!accepts(revision)) continue;
            page.push(revision);
            size += entry.bytes;
          }
          detach(page, from, frame);
        }
        position = id;
      }
      const atEnd = listed.length < maxFramesPerPage;
      return { revisions: page, position: atEnd ? Math.max(position, head) : position, atEnd };
    },

    head: async () => log().head,
    async tail() {
      return database.read('read where the log begins', () => {
        const first = readFirst.get()?.['first'];
        return first === undefined ? log().head : Number(first) - 1;
      });
    },
    thinned: async () => log().removed,

    async positionAt(time) {
      return database.read('find a time in the log', () => {
        const found = frames.lastBefore(time);
        const stream = found && streamOf(found.streamId);
        const frame = found && stream && frames.load(found.id, stream);
        return frame?.entries.findLast((entry) => entry.observedAt < time)?.position ?? 0;
      });
    },

    changed: (position, signal) => changes.until(() => log().head > position, signal),
  };
}

/** Few revisions of a large frame are copied out of it, so that a filtered page does not keep whole frames in memory. */
function detach(page: Revision[], from: number, frame: Frame): void {
  const taken = page.slice(from).reduce((bytes, revision) => bytes + revision.object.length, 0);
  const whole = frame.entries.reduce((bytes, entry) => bytes + entry.bytes, 0);
  if (taken * 2 >= whole) return;
  for (let i = from; i < page.length; i++) {
    const revision = page[i] as Revision;
    page[i] = { ...revision, object: revision.object.slice() };
  }
}

// Reads the whole log of a data folder in the order of recording.
import type { Revision } from '../../model/revision.ts';
import type { Feed, FeedPage } from '../../ports/feed.ts';
import type { ChangeSignal } from './change-signal.ts';
import type { Database } from './database.ts';
import type { FrameEntry } from './frame.ts';
import { type Frame, type FrameTable, revisionAt } from './frame-table.ts';
import type { LogRow, LogRowTable } from './log-row.ts';
import { corrupt, storageError } from './storage-error.ts';
import type { StreamRow, StreamTable } from './stream-table.ts';

interface Parts {
  readonly streams: StreamTable;
  readonly frames: FrameTable;
  readonly log: LogRowTable;
  readonly changes: ChangeSignal;
}

type ReadOptions = Parameters<Feed['read']>[1];

/** A page looks at no more frames than this, wanted or not: reading is synchronous, and others want their turn. */
const maxFramesPerPage = 256;
/** Nor does it unpack more than this many times the bytes asked for to find what passes the filter. */
const maxBytesPerByte = 8;

export function createDiskFeed(database: Database, { streams, frames, log, changes }: Parts): Feed {
  const readLog = (): LogRow => {
    try {
      return log.read();
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

  const missing = (what: string) => corrupt(database.folder, 'read the feed', `${what} is missing`);

  const readPage = (after: number, { bytes, wants = () => true, accepts = () => true }: ReadOptions): FeedPage => {
    const { position: head, removed } = log.read();
    const answers = new Map<number, boolean>();
    const page: Revision[] = [];
    let size = 0;
    let unpacked = 0;
    let position = after;
    let walked = 0;
    for (const { id, streamId, first } of frames.walk(after, maxFramesPerPage)) {
      walked += 1;
      // Positions have no gaps but those that retention made.
      if (first > position + 1 && removed < first - 1) throw missing(`what stood before position ${first}`);
      const stream = streamOf(streamId);
      if (stream === undefined) throw missing('the row of a stream');
      const wanted = answers.get(streamId) ?? wants(stream.ref);
      answers.set(streamId, wanted);
      if (wanted) {
        const frame = frames.load(id, stream);
        if (frame === undefined) throw missing(`frame ${id}`);
        const from = page.length;
        for (let i = 0; i < frame.entries.length; i++) {
          const entry = frame.entries[i] as FrameEntry;
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
    const atEnd = walked < maxFramesPerPage;
    if (atEnd && position < head && removed < head) throw missing(`what stands before position ${head}`);
    return { revisions: page, position: atEnd ? Math.max(position, head) : position, atEnd };
  };

  return {
    async read(after, options) {
      // In one transaction: what is listed is there.
      return database.read('read the feed', () => readPage(after, options));
    },

    head: async () => readLog().position,
    async tail() {
      return database.read('read where the log begins', () => {
        const [oldest] = frames.list(0, 1);
        const stream = oldest && streamOf(oldest.streamId);
        const frame = oldest && stream && frames.load(oldest.id, stream);
        return (frame?.entries[0]?.position ?? log.read().position + 1) - 1;
      });
    },
    thinned: async () => readLog().removed,

    async positionAt(time) {
      return database.read('find a time in the log', () => {
        const found = frames.lastBefore(time);
        const stream = found && streamOf(found.streamId);
        const frame = found && stream && frames.load(found.id, stream);
        return frame?.entries.findLast((entry) => entry.observedAt < time)?.position ?? 0;
      });
    },

    changed: (position, signal) => changes.until(() => readLog().position > position, signal),
  };
}

/** Few revisions of a large frame are copied out of it, so that a filtered page does not keep whole frames in memory. */
function detach(page: Revision[], from: number, frame: Frame): void {
  if (page.length - from === frame.entries.length) return;
  const taken = page.slice(from).reduce((bytes, revision) => bytes + revision.object.length, 0);
  const whole = frame.entries.reduce((bytes, entry) => bytes + entry.bytes, 0);
  if (taken * 2 >= whole) return;
  for (let i = from; i < page.length; i++) {
    const revision = page[i] as Revision;
    page[i] = { ...revision, object: revision.object.slice() };
  }
}

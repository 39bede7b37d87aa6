// The `frame` table, and the few frames that were unpacked last.
import { Mk8sError, messageOf } from '../../model/errors.ts';
import type { Revision } from '../../model/revision.ts';
import type { StreamKey, StreamRef } from '../../model/stream.ts';
import type { Database } from './database.ts';
import { type FrameEntry, packFrame, unpackFrame } from './frame.ts';
import type { LogRowTable } from './log-row.ts';
import { corrupt, storageError } from './storage-error.ts';

export interface Frame {
  readonly id: number;
  /** No revision of its stream that comes after this is in it; the last one itself may have been removed. */
  readonly lastSequence: number;
  readonly entries: readonly FrameEntry[];
  /** As many as entries, in their order: views of one buffer. */
  readonly objects: readonly Uint8Array[];
}

/** Which stream's frames: `id` and `key` of its row. */
interface OfStream {
  readonly id: number;
  readonly key: StreamKey;
}

/** And its newest sequence number, as the row has it. */
interface WholeStream extends OfStream {
  readonly sequence: number;
}

export interface FrameTable {
  /** Inside a write. */
  insert(stream: OfStream, entries: readonly FrameEntry[], objects: readonly Uint8Array[]): void;
  /**
   * The frame of this stream that holds the first revision after a sequence number, or a later one; undefined behind the
   * last. Inside the transaction that read the stream's row. Throws Mk8sError `storage` where revisions are missing that
   * retention did not remove.
   */
  after(stream: WholeStream, sequence: number): Frame | undefined;
  /**
   * Frames with id > `after`, in order, at most `limit`. Read as they are asked for: what lists hundreds to use the first
   * few spends more on the list than on them.
   */
  walk(after: number, limit: number): Generator<ListedFrame>;
  /** Frames with id > `after`, in order. */
  list(after: number, limit: number): ListedFrame[];
  /** Undefined where retention removed it in the meantime. */
  load(id: number, stream: OfStream): Frame | undefined;
  /** The last frame that has a revision observed before a time. */
  lastBefore(time: number): ListedFrame | undefined;
  /** Keeps only some entries of a frame; removes it where none are left. Inside a write. */
  keep(frame: Frame, stream: OfStream, isKept: (entry: FrameEntry) => boolean): void;
}

export interface ListedFrame {
  readonly id: number;
  readonly streamId: number;
  /** Position of its first revision. */
  readonly first: number;
  /** The smallest observedAt in it. */
  readonly oldest: number;
  /** Bytes before compression. */
  readonly size: number;
}

/** Pages end inside frames, so the next page wants the same frame again; more of them would only be memory. */
const unpackedFrames = 3;

/** Frames that a walk lists at a time: about what a page of a megabyte has. */
const walkStep = 8;

export function createFrameTable({ sql, folder }: Database, log: LogRowTable): FrameTable {
  const insert = sql.prepare('INSERT INTO frame VALUES (?, ?, ?, ?, ?, ?, ?)');
  const next = sql.prepare(
    'SELECT id FROM frame WHERE stream_id = ? AND last_sequence > ? ORDER BY last_sequence LIMIT 1',
  );
  const columns = 'id, stream_id AS streamId, first, oldest, size';
  const list = sql.prepare(`SELECT ${columns} FROM frame WHERE id > ? ORDER BY id LIMIT ?`);
  const before = sql.prepare(`SELECT ${columns} FROM frame WHERE oldest < ? ORDER BY id DESC LIMIT 1`);
  const get = sql.prepare('SELECT last_sequence, size, data FROM frame WHERE id = ? AND stream_id = ?');
  const rewrite = sql.prepare('UPDATE frame SET first = ?, oldest = ?, size = ?, data = ? WHERE id = ?');
  const remove = sql.prepare('DELETE FROM frame WHERE id = ?');
  /** Changes when another connection has committed. */
  const version = sql.prepare('PRAGMA data_version');
  let seen: unknown;
  const unpacked = new Map<number, Frame>();

  const guarded = <T>(body: () => T): T => {
    try {
      return body();
    } catch (error) {
      throw isUnpacking(error)
        ? corrupt(folder, 'read revisions', messageOf(error), error)
        : storageError(error, 'read revisions', folder);
    }
  };
  const listed = (after: number, limit: number) => guarded(() => list.all(after, limit) as unknown as ListedFrame[]);
  const mustBeRemoved = (upTo: number, what: string): void => {
    if (log.read().removed < upTo) throw corrupt(folder, 'read revisions', `${what} is missing`);
  };
  const load = (id: number, stream: OfStream): Frame | undefined => {
    const now = version.get()?.['data_version'];
    // Another process' retention may have thinned the frames.
    if (now !== seen) unpacked.clear();
    seen = now;
    const known = unpacked.get(id);
    if (known !== undefined) return known;
    const frame = guarded(() => {
      const found = get.get(id, stream.id) as { last_sequence: number; size: number; data: Uint8Array } | undefined;
      if (found === undefined) return undefined;
      const lastSequence = found.last_sequence;
      return checked({ id, lastSequence, ...unpackFrame(stream.key, found) }, mustBeRemoved);
    });
    if (frame === undefined) return undefined;
    unpacked.set(id, frame);
    for (const oldest of unpacked.keys()) {
      if (unpacked.size <= unpackedFrames) break;
      unpacked.delete(oldest);
    }
    return frame;
  };

  return {
    insert(stream, entries, objects) {
      const last = entries.at(-1) as FrameEntry;
      const { data, size } = packFrame(stream.key, entries, objects);
      const oldest = oldestOf(entries);
      insert.run(last.position, stream.id, last.sequence, firstOf(entries), oldest, size, data);
    },
    after(stream, sequence) {
      const found = guarded(() => next.get(stream.id, sequence) as { id: number } | undefined);
      const frame = found && load(found.id, stream);
      if (found !== undefined && frame === undefined) throw corrupt(folder, 'read revisions', 'a frame is missing');
      // The index says that it is behind, the row that it is before: whoever goes on from its end would read it for ever.
      if (frame !== undefined && frame.lastSequence <= sequence) {
        throw corrupt(folder, 'read revisions', `frame ${frame.id} is listed at another place than it has`);
      }
      // Positions count all streams' revisions, so that of a revision is never smaller than its sequence number.
      const until = frame?.entries[0]?.sequence ?? stream.sequence + 1;
      if (until > sequence + 1) mustBeRemoved(until - 1, `revision ${until - 1} of stream ${stream.key}`);
      return frame;
    },
    *walk(after, limit) {
      for (let from = after, left = limit; left > 0; ) {
        const wanted = Math.min(left, walkStep);
        const part = listed(from, wanted);
        yield* part;
        if (part.length < wanted) return;
        from = part.at(-1)?.id ?? from;
        left -= part.length;
      }
    },
    list: listed,
    load,
    lastBefore: (time) => guarded(() => before.get(time) as ListedFrame | undefined),
    keep(frame, stream, isKept) {
      unpacked.delete(frame.id);
      const kept = frame.entries.filter(isKept);
      if (kept.length === 0) {
        remove.run(frame.id);
        return;
      }
      const objects = frame.objects.filter((_, i) => isKept(frame.entries[i] as FrameEntry));
      const { data, size } = packFrame(stream.key, kept, objects);
      rewrite.run(firstOf(kept), oldestOf(kept), size, data, frame.id);
    },
  };
}

/** One revision of a frame. Its object is a view of the frame's buffer. */
export function revisionAt(frame: Frame, index: number, stream: StreamRef): Revision {
  return revisionFrom(frame.entries[index] as FrameEntry, stream, frame.objects[index] as Uint8Array);
}

// Field by field: a spread costs as much as the rest of reading a revision.
export function revisionFrom(entry: FrameEntry, stream: StreamRef, object: Uint8Array): Revision {
  return {
    stream,
    epoch: entry.epoch,
    sequence: entry.sequence,
    position: entry.position,
    previous: entry.previous,
    type: entry.type,
    origin: entry.origin,
    namespace: entry.namespace,
    name: entry.name,
    uid: entry.uid,
    resourceVersion: entry.resourceVersion,
    asOf: entry.asOf,
    apiVersion: entry.apiVersion,
    kind: entry.kind,
    manager: entry.manager,
    observedAt: entry.observedAt,
    object,
  };
}

function firstOf(entries: readonly FrameEntry[]): number {
  return entries[0]?.position ?? 0;
}

function oldestOf(entries: readonly FrameEntry[]): number {
  return entries.reduce((least, entry) => Math.min(least, entry.observedAt), Infinity);
}

/** A frame found by its place holds the revisions up to that place, but for those that retention removed at its end. */
function checked(frame: Frame, mustBeRemoved: (position: number, what: string) => void): Frame {
  const { id, lastSequence, entries } = frame;
  const last = entries.at(-1);
  const lost = lastSequence - (last?.sequence ?? Infinity);
  const room = id - (last?.position ?? Infinity);
  if (last === undefined || lost < 0 || room < lost || (lost === 0) !== (room === 0)) {
    throw new Error(`frame ${id} holds revisions of another place`);
  }
  if (room > 0) mustBeRemoved(last.position + 1, `the end of frame ${id}`);
  return frame;
}

/** Not thrown by SQLite or the system: by zlib, JSON or our own checks. */
function isUnpacking(error: unknown): boolean {
  return !(error instanceof Mk8sError) && error instanceof Error && !('errcode' in error);
}

// The `frame` table, and the few frames that were unpacked last.
import { Mk8sError, messageOf } from '../../model/errors.ts';
import type { Revision } from '../../model/revision.ts';
import type { StreamKey, StreamRef } from '../../model/stream.ts';
import type { Database } from './database.ts';
import { type FrameEntry, packMeta, packObjectsSync, unpackMeta, unpackObjects } from './frame.ts';
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

export interface FrameTable {
  /** `data` must hold the objects of `entries`. Inside a write. */
  insert(stream: OfStream, entries: readonly FrameEntry[], data: Uint8Array): void;
  /** The frame of this stream that holds the first revision after a sequence number, or a later one. */
  after(stream: OfStream, sequence: number): Frame | undefined;
  /** Entries of the frames after a sequence number, without unpacking objects. */
  entriesAfter(stream: OfStream, sequence: number): Generator<readonly FrameEntry[]>;
  /** `[id, stream id]` of frames with id > `after`, in order. */
  list(after: number, limit: number): { id: number; stream: number; oldest: number }[];
  /** Undefined where retention removed it in the meantime. */
  load(id: number, stream: OfStream): Frame | undefined;
  entries(id: number, stream: OfStream): readonly FrameEntry[] | undefined;
  /** Id of the last frame that has a revision observed before a time. */
  lastBefore(time: number): { id: number; stream: number } | undefined;
  /** Keeps only these entries of a frame; removes it where none are left. Inside a write. */
  keep(frame: Frame, stream: OfStream, kept: readonly FrameEntry[]): void;
}

/** Pages end inside frames, so the next page wants the same frame again; more of them would only be memory. */
const unpackedFrames = 3;

export function createFrameTable(database: Database): FrameTable {
  const { sql, folder } = database;
  const insert = sql.prepare('INSERT INTO frame VALUES (?, ?, ?, ?, ?, ?)');
  const next = sql.prepare(
    'SELECT id FROM frame WHERE stream_id = ? AND last_sequence > ? ORDER BY last_sequence LIMIT 1',
  );
  const nextMeta = sql.prepare(
    'SELECT last_sequence, meta FROM frame WHERE stream_id = ? AND last_sequence > ? ORDER BY last_sequence LIMIT 1',
  );
  const list = sql.prepare('SELECT id, stream_id AS stream, oldest FROM frame WHERE id > ? ORDER BY id LIMIT ?');
  const whole = sql.prepare('SELECT last_sequence, meta, data FROM frame WHERE id = ? AND stream_id = ?');
  const meta = sql.prepare('SELECT meta FROM frame WHERE id = ? AND stream_id = ?');
  const before = sql.prepare('SELECT id, stream_id AS stream FROM frame WHERE oldest < ? ORDER BY id DESC LIMIT 1');
  const rewrite = sql.prepare('UPDATE frame SET oldest = ?, meta = ?, data = ? WHERE id = ?');
  const remove = sql.prepare('DELETE FROM frame WHERE id = ?');
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
  const load = (id: number, stream: OfStream): Frame | undefined => {
    const known = unpacked.get(id);
    if (known !== undefined) return known;
    const frame = guarded(() => {
      const found = whole.get(id, stream.id) as
        | { last_sequence: number; meta: Uint8Array; data: Uint8Array }
        | undefined;
      if (found === undefined) return undefined;
      const { entries, sum } = unpackMeta(found.meta, stream.key);
      checkEntries(id, entries);
      return { id, lastSequence: found.last_sequence, entries, objects: unpackObjects(found.data, entries, sum) };
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
    insert(stream, entries, data) {
      const last = entries.at(-1) as FrameEntry;
      insert.run(last.position, stream.id, last.sequence, oldest(entries), packMeta(stream.key, entries, data), data);
    },
    after(stream, sequence) {
      const found = guarded(() => next.get(stream.id, sequence) as { id: number } | undefined);
      return found && load(found.id, stream);
    },
    *entriesAfter(stream, sequence) {
      for (let after = sequence; ; ) {
        const found = guarded(
          () => nextMeta.get(stream.id, after) as { last_sequence: number; meta: Uint8Array } | undefined,
        );
        if (found === undefined) return;
        yield guarded(() => unpackMeta(found.meta, stream.key).entries);
        after = found.last_sequence;
      }
    },
    list: (after, limit) => guarded(() => list.all(after, limit) as { id: number; stream: number; oldest: number }[]),
    load,
    entries: (id, stream) =>
      guarded(() => {
        const found = meta.get(id, stream.id) as { meta: Uint8Array } | undefined;
        return found && unpackMeta(found.meta, stream.key).entries;
      }),
    lastBefore: (time) => guarded(() => before.get(time) as { id: number; stream: number } | undefined),
    keep(frame, stream, kept) {
      unpacked.delete(frame.id);
      if (kept.length === 0) {
        remove.run(frame.id);
        return;
      }
      const wanted = new Set(kept.map((entry) => entry.sequence));
      const objects = frame.objects.filter((_, i) => wanted.has(frame.entries[i]?.sequence ?? 0));
      const data = packObjectsSync(objects);
      rewrite.run(oldest(kept), packMeta(stream.key, kept, data), data, frame.id);
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

function oldest(entries: readonly FrameEntry[]): number {
  return entries.reduce((least, entry) => Math.min(least, entry.observedAt), Infinity);
}

/** A frame found by its id must hold revisions up to that position. */
function checkEntries(id: number, entries: readonly FrameEntry[]): void {
  const last = entries.at(-1);
  if (last === undefined || last.position > id) throw new Error(`frame ${id} holds revisions of another place`);
}

/** Not thrown by SQLite or the system: by zlib, JSON or our own checks. */
function isUnpacking(error: unknown): boolean {
  return !(error instanceof Mk8sError) && error instanceof Error && !('errcode' in error);
}

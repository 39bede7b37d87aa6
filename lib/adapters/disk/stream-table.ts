// The `stream` table: where each stream stands.
import type { Checkpoint } from '../../model/checkpoint.ts';
import type { ResourceVersion } from '../../model/resource-version.ts';
import { type StreamKey, type StreamRef, streamKey } from '../../model/stream.ts';
import type { Database } from './database.ts';

export interface StreamRow {
  readonly id: number;
  readonly key: StreamKey;
  readonly ref: StreamRef;
  readonly epoch: number;
  readonly sequence: number;
  /** Up to this sequence number the table of last states is written. */
  readonly folded: number;
  readonly resourceVersion: ResourceVersion | undefined;
  /** Live objects. */
  readonly objects: number;
  /** The largest seen. */
  readonly fence: number;
  readonly checkpoint: Checkpoint | undefined;
}

export interface StreamTable {
  find(ref: StreamRef): StreamRow | undefined;
  byId(id: number): StreamRow | undefined;
  /** The row of `ref`, made where absent. Inside a write. */
  open(ref: StreamRef): StreamRow;
  /** Replaces the row. Inside a write. */
  save(row: StreamRow): void;
  all(cluster?: string): StreamRef[];
}

interface Stored {
  readonly id: number;
  readonly key: StreamKey;
  readonly ref: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly folded: number;
  readonly rv: ResourceVersion | null;
  readonly objects: number;
  readonly fence: number;
  readonly checkpoint: string | null;
}

export function createStreamTable({ sql }: Database): StreamTable {
  const byKey = sql.prepare('SELECT * FROM stream WHERE key = ?');
  const byId = sql.prepare('SELECT * FROM stream WHERE id = ?');
  const insert = sql.prepare(
    'INSERT INTO stream (key, cluster, ref, epoch, sequence, folded, objects, fence) VALUES (?, ?, ?, 0, 0, 0, 0, 0)',
  );
  const update = sql.prepare(
    'UPDATE stream SET epoch = ?, sequence = ?, folded = ?, rv = ?, objects = ?, fence = ?, checkpoint = ? WHERE id = ?',
  );
  const list = sql.prepare('SELECT ref FROM stream WHERE ?1 IS NULL OR cluster = ?1 ORDER BY key');

  const find = (ref: StreamRef) => parse(byKey.get(streamKey(ref)) as Stored | undefined);
  return {
    find,
    byId: (id) => parse(byId.get(id) as Stored | undefined),
    open(ref) {
      const found = find(ref);
      if (found !== undefined) return found;
      insert.run(streamKey(ref), ref.cluster, JSON.stringify(ref));
      return find(ref) as StreamRow;
    },
    save({ id, epoch, sequence, folded, resourceVersion, objects, fence, checkpoint }) {
      const json = checkpoint === undefined ? null : JSON.stringify(checkpoint);
      update.run(epoch, sequence, folded, resourceVersion ?? null, objects, fence, json, id);
    },
    all: (cluster) => list.all(cluster ?? null).map(({ ref }) => JSON.parse(String(ref)) as StreamRef),
  };
}

function parse(stored: Stored | undefined): StreamRow | undefined {
  if (stored === undefined) return undefined;
  const { rv, ref, checkpoint, ...numbers } = stored;
  return {
    ...numbers,
    ref: JSON.parse(ref) as StreamRef,
    resourceVersion: rv ?? undefined,
    checkpoint: checkpoint === null ? undefined : (JSON.parse(checkpoint) as Checkpoint),
  };
}

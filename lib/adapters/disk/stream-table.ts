// The `stream` table: where each stream stands.
import type { Checkpoint } from '../../model/checkpoint.ts';
import type { ResourceVersion } from '../../model/resource-version.ts';
import { type StreamKey, type StreamRef, streamKey } from '../../model/stream.ts';
import { checksum, mustMatch } from './checksum.ts';
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
  readonly cluster: string;
  readonly crc: number;
}

export function createStreamTable({ sql, folder }: Database): StreamTable {
  const byKey = sql.prepare('SELECT * FROM stream WHERE key = ?');
  const byId = sql.prepare('SELECT * FROM stream WHERE id = ?');
  const insert = sql.prepare(
    'INSERT INTO stream (key, cluster, ref, epoch, sequence, folded, objects, fence, crc) VALUES (?, ?, ?, 0, 0, 0, 0, 0, ?)',
  );
  const update = sql.prepare(
    'UPDATE stream SET epoch = ?, sequence = ?, folded = ?, rv = ?, objects = ?, fence = ?, checkpoint = ?, crc = ? WHERE id = ?',
  );
  const list = sql.prepare('SELECT * FROM stream WHERE ?1 IS NULL OR cluster = ?1 ORDER BY key');

  const parse = (stored: Stored | undefined) => stored && parseChecked(stored, folder);
  const find = (ref: StreamRef) => parse(byKey.get(streamKey(ref)) as Stored | undefined);
  return {
    find,
    byId: (id) => parse(byId.get(id) as Stored | undefined),
    open(ref) {
      const found = find(ref);
      if (found !== undefined) return found;
      const [key, json] = [streamKey(ref), JSON.stringify(ref)];
      insert.run(key, ref.cluster, json, checksum(key, ref.cluster, json, 0, 0, 0, null, 0, 0, null));
      return find(ref) as StreamRow;
    },
    save({ id, key, ref, epoch, sequence, folded, resourceVersion: rv = null, objects, fence, checkpoint }) {
      const json = checkpoint === undefined ? null : JSON.stringify(checkpoint);
      const crc = checksum(key, ref.cluster, JSON.stringify(ref), epoch, sequence, folded, rv, objects, fence, json);
      update.run(epoch, sequence, folded, rv, objects, fence, json, crc, id);
    },
    all: (cluster) => (list.all(cluster ?? null) as unknown as Stored[]).map((row) => parseChecked(row, folder).ref),
  };
}

function parseChecked(stored: Stored, folder: string): StreamRow {
  const { rv, ref, checkpoint, cluster, crc, ...numbers } = stored;
  const { key, epoch, sequence, folded, objects, fence } = numbers;
  const computed = checksum(key, cluster, ref, epoch, sequence, folded, rv, objects, fence, checkpoint);
  mustMatch(crc, computed, folder, 'read where a stream stands', 'the row of a stream');
  return {
    ...numbers,
    ref: JSON.parse(ref) as StreamRef,
    resourceVersion: rv ?? undefined,
    checkpoint: checkpoint === null ? undefined : (JSON.parse(checkpoint) as Checkpoint),
  };
}

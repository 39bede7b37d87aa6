// The last state of every object, and how it is written without touching one page per change.
//
// Objects change in no order of their keys. Writing each change to the table at once would rewrite a page of 4 KiB for
// it (measured: 17 of 23 microseconds a change). So the states of the newest revisions stay in memory, and are *folded*
// into the table many at a time, in key order; the stream's row says up to which sequence number (`folded`). They are not
// lost with the process: the frames above `folded` hold them, and whoever opens a stream reads those first.
//
// Other processes may write too. A stream's newest states in memory (its `Recent`) are therefore brought up to its row
// before every use, inside the transaction that read the row.
import { crc32 } from 'node:zlib';
import { type Known, knownFrom, RecentStates } from '../../history/recent-states.ts';
import type { ResourceVersion } from '../../model/resource-version.ts';
import { compareObjectKeys, keyOf, type ObjectKey } from '../../model/revision.ts';
import type { Database } from './database.ts';
import type { FrameTable } from './frame-table.ts';
import { corrupt } from './storage-error.ts';
import type { StreamRow, StreamTable } from './stream-table.ts';

export interface LastStates {
  /** The last state of one object, tombstones included. Inside the transaction that read `stream`. */
  get(stream: StreamRow, key: ObjectKey): Known | undefined;
  /** Live objects with key > `after`, in key order. Inside the transaction that read `stream`. */
  page(stream: StreamRow, after: ObjectKey | undefined, limit: number): Known[];
  /** Tells what a committed transaction recorded after `stream` was read in it; the row now says `through`. */
  recorded(stream: StreamRow, through: number, states: ReadonlyMap<ObjectKey, Known>): void;
  /** True where enough has gathered that it should be folded. */
  readonly full: boolean;
  /** True where nothing would be folded. */
  readonly isEmpty: boolean;
  /**
   * Writes everything that is only in memory to the table, inside a write and before it reads rows of streams: it
   * changes them. Call what it returns once that is committed.
   */
  fold(): () => void;
  /** Forgets an object whose last revision, a folded tombstone, is being removed. Inside a write. */
  forget(stream: StreamRow, key: ObjectKey, sequence: number): void;
}

/** What is known of a stream beyond the table: its revisions in (`folded`, `through`]. */
interface Recent {
  folded: number;
  through: number;
  readonly states: RecentStates;
}

/** About 10 MB of states. Folding 16,000 of 200,000 objects rewrites a third of a page per change instead of one. */
const maxRecentStates = 16_384;
/** Bounds what a process that opens the stream has to read: a tenth of a second. */
const maxRecentRevisions = 65_536;

export function createLastStates({ sql, folder }: Database, streams: StreamTable, frames: FrameTable): LastStates {
  const columns = 'key, uid, rv, as_of, epoch, sequence, ordinal, deleted, crc';
  const get = sql.prepare(`SELECT ${columns} FROM last_state WHERE stream_id = ? AND key = ?`);
  const page = sql.prepare(
    `SELECT ${columns} FROM last_state WHERE stream_id = ? AND key > ? AND NOT deleted ORDER BY key LIMIT ?`,
  );
  // Arrays: rows as objects take as long to build as to find.
  get.setReturnArrays(true);
  page.setReturnArrays(true);
  const put = sql.prepare(`INSERT INTO last_state VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    uid = excluded.uid, rv = excluded.rv, as_of = excluded.as_of, epoch = excluded.epoch,
    sequence = excluded.sequence, ordinal = excluded.ordinal, deleted = excluded.deleted, crc = excluded.crc`);
  const countLive = sql.prepare('SELECT count(*) AS n FROM last_state WHERE stream_id = ? AND NOT deleted');
  const remove = sql.prepare('DELETE FROM last_state WHERE stream_id = ? AND key = ? AND sequence = ?');
  const checkTable = sql.prepare('PRAGMA integrity_check(last_state)');
  /** Streams all of whose states were there, once. */
  const sound = new Set<number>();
  let ordered = false;
  const recents = new Map<number, Recent>();
  let count = 0;
  let overdue = false;

  const tally = () => {
    count = 0;
    for (const recent of recents.values()) count += recent.states.size;
  };
  const recentOf = (stream: StreamRow): Recent => {
    let recent = recents.get(stream.id);
    // Folded further than the row says: the transaction that did it was undone.
    if (recent === undefined || recent.folded > stream.folded) {
      recent = { folded: stream.folded, through: stream.folded, states: new RecentStates() };
      recents.set(stream.id, recent);
    }
    if (recent.folded < stream.folded) {
      // Folded by another process, or in this very transaction.
      if (recent.through <= stream.folded) recent.states.clear();
      else recent.states.dropThrough(stream.folded);
      recent.folded = stream.folded;
      recent.through = Math.max(recent.through, stream.folded);
      tally();
    }
    if (recent.through < stream.sequence) {
      for (let from = recent.through; ; ) {
        const frame = frames.after(stream, from);
        if (frame === undefined) break;
        for (const entry of frame.entries) {
          if (entry.sequence > recent.through) recent.states.set(keyOf(entry), knownFrom(entry));
        }
        from = frame.lastSequence;
      }
      recent.through = stream.sequence;
      tally();
    }
    return recent;
  };

  const find = (id: number, key: ObjectKey): Known | undefined => {
    const stored = get.get(id, key) as Stored | undefined;
    return stored && parse(id, stored, folder);
  };
  /** A row can also be lost: out of sight of an index that is damaged. Before a walk over all, they are counted. */
  const mustBeWhole = (stream: StreamRow, states: RecentStates): void => {
    let live = Number(countLive.get(stream.id)?.['n']);
    for (const [key, state] of states.entries()) {
      const stored = find(stream.id, key);
      live += Number(!state.deleted) - Number(stored !== undefined && !stored.deleted);
    }
    if (live === stream.objects) return;
    throw corrupt(folder, 'read last states', `of ${stream.objects} objects of stream ${stream.key} ${live} are there`);
  };

  /**
   * Nothing found can mean that the way to it is damaged, and a walk that goes on from a key can miss what comes next in the same
   * way, while all are there to be counted. So the first time the table itself is checked, order of keys included (200,000
   * rows: 60 ms), once for each process.
   */
  const mustBeSound = (stream: StreamRow, states: RecentStates): void => {
    if (!ordered) {
      const [found] = Object.values(checkTable.get() ?? {});
      if (found !== 'ok') throw corrupt(folder, 'read last states', String(found));
      ordered = true;
    }
    mustBeWhole(stream, states);
    sound.add(stream.id);
  };

  return {
    get(stream, key) {
      const { states } = recentOf(stream);
      const known = states.get(key) ?? find(stream.id, key);
      if (known === undefined && stream.folded > 0 && !sound.has(stream.id)) mustBeSound(stream, states);
      return known;
    },
    page(stream, after, limit) {
      const { states } = recentOf(stream);
      if (after === undefined) mustBeSound(stream, states);
      const found: Known[] = [];
      for (let from = after ?? ('' as ObjectKey); ; ) {
        const rows = page.all(stream.id, from, limit) as unknown as Stored[];
        const until = rows.length < limit ? undefined : rows.at(-1)?.[0];
        mustAscend(rows, from, folder);
        const stored = states.size === 0 ? rows : rows.filter(([key]) => !states.has(key));
        const part = stored.map((row) => parse(stream.id, row, folder));
        found.push(...merge(part, states.liveBetween(from, until)));
        if (until === undefined || found.length >= limit) return found.slice(0, limit);
        from = until;
      }
    },
    recorded(stream, through, states) {
      const recent = recents.get(stream.id);
      // Not brought up to the row (nothing was looked up): the frames will tell.
      if (recent?.through !== stream.sequence) return;
      for (const [key, state] of states) {
        if (!recent.states.has(key)) count += 1;
        recent.states.set(key, state);
      }
      recent.through = through;
      overdue ||= through - recent.folded > maxRecentRevisions;
    },
    get isEmpty() {
      return count === 0;
    },
    get full() {
      return overdue || count > maxRecentStates;
    },
    fold() {
      const done: [Recent, number][] = [];
      for (const [id, recent] of recents) {
        const stream = streams.byId(id);
        if (stream === undefined || stream.sequence === stream.folded) continue;
        const { states } = recentOf(stream);
        for (const key of states.keys()) {
          const { uid, resourceVersion, asOf, epoch, sequence, ordinal, deleted } = states.get(key) as Known;
          const asOfOrNull = asOf === resourceVersion ? null : asOf;
          const row: Row = [key, uid, resourceVersion, asOfOrNull, epoch, sequence, ordinal, Number(deleted)];
          put.run(id, ...row, checksumOf(id, row));
        }
        streams.save({ ...stream, folded: stream.sequence });
        done.push([recent, stream.sequence]);
      }
      return () => {
        for (const [recent, through] of done) {
          recent.states.clear();
          Object.assign(recent, { folded: through, through });
        }
        overdue = false;
        tally();
      };
    },
    forget(stream, key, sequence) {
      remove.run(stream.id, key, sequence);
    },
  };
}

/** Both in key order, and no key in both. */
function merge(stored: readonly Known[], recent: readonly (readonly [ObjectKey, Known])[]): readonly Known[] {
  if (recent.length === 0) return stored;
  const keyed = stored.map((state): readonly [ObjectKey, Known] => [keyOf(state), state]);
  return [...keyed, ...recent].sort(([a], [b]) => compareObjectKeys(a, b)).map(([, state]) => state);
}

/** A row of the table: key, uid, rv, as_of, epoch, sequence, ordinal, deleted. */
type Row = [ObjectKey, string, ResourceVersion, ResourceVersion | null, number, number, number, number];
/** And its crc. */
type Stored = [...Row, number];

/** Written out, not joined from a list: it is made of every row that is compared. */
function checksumOf(stream: number, row: Row | Stored): number {
  return crc32(`${stream} ${row[0]}\0${row[1]}\0${row[2]}\0${row[3]}\0${row[4]} ${row[5]} ${row[6]} ${row[7]}`);
}

/** Keys of a page come in order: else the page of the table is damaged, and rows are there twice or not at all. */
function mustAscend(rows: readonly Stored[], after: ObjectKey, folder: string): void {
  let before = after;
  for (const [key] of rows) {
    // Plain comparison is right but for surrogates, and much cheaper.
    if (key <= before && compareObjectKeys(key, before) <= 0)
      throw corrupt(folder, 'read last states', 'its rows are out of order');
    before = key;
  }
}

function parse(stream: number, stored: Stored, folder: string): Known {
  const [key, uid, rv, asOf, epoch, sequence, ordinal, deleted, crc] = stored;
  if (crc !== checksumOf(stream, stored)) {
    throw corrupt(folder, 'read last states', 'the last state of an object is not as it was written');
  }
  // A namespace has no slash.
  const slash = key.indexOf('/');
  return {
    namespace: key.slice(0, slash),
    name: key.slice(slash + 1),
    uid,
    resourceVersion: rv,
    asOf: asOf ?? rv,
    epoch,
    sequence,
    ordinal,
    deleted: deleted !== 0,
  };
}

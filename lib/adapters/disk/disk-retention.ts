// Forgets old revisions while recording goes on: a walk over the frames in small steps, each a transaction of its own.
import { objectKey } from '../../model/revision.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Retention, RetentionPolicy } from '../../ports/retention.ts';
import type { Database } from './database.ts';
import type { FrameEntry } from './frame.ts';
import type { FrameTable, ListedFrame } from './frame-table.ts';
import type { LastStates } from './last-states.ts';
import type { LogRowTable } from './log-row.ts';
import type { StreamRow, StreamTable } from './stream-table.ts';

interface Parts {
  readonly streams: StreamTable;
  readonly frames: FrameTable;
  readonly last: LastStates;
  readonly log: LogRowTable;
}

/** Pages given back to the file system per step (8 MiB), where a tenth of the file is free. */
const vacuumPages = 2048;

/** What a step unpacks at most, beside its last frame: about ten milliseconds' work while nothing else is recorded. */
const stepBytes = 4 * 1024 * 1024;

export function createDiskRetention(
  database: Database,
  clock: Clock,
  { streams, frames, last, log }: Parts,
): Retention['retain'] {
  const { sql } = database;
  const dropLetters = sql.prepare('DELETE FROM dead_letter WHERE at < ?');

  const step = (policy: RetentionPolicy, budget: number) => {
    const now = clock.now();
    const before = now - (policy.maxAgeMs ?? Infinity);
    // A tombstone can only go once the table of last states knows of it.
    const folded = last.fold();
    const rows = new Map<number, StreamRow | undefined>();
    const row = log.read();
    const listed = frames.list(row.retained, budget);
    const youngFrom = policy.maxRevisionsPerObject === undefined ? before : Infinity;
    const portion = portionOf(listed, { youngFrom, now });
    const done = portion.end === 'young' || (portion.end === 'listed' && listed.length < budget);
    let removed = 0;
    let highest = 0;
    for (const { id, streamId } of portion.due) {
      if (!rows.has(streamId)) rows.set(streamId, streams.byId(streamId));
      const stream = rows.get(streamId);
      if (stream === undefined) continue;
      const frame = frames.load(id, stream);
      const gone = frame?.entries.filter((entry) => mayGo(entry, stream, last, before, policy)) ?? [];
      if (frame === undefined || gone.length === 0) continue;
      frames.keep(frame, stream, (entry) => !gone.includes(entry));
      for (const entry of gone) {
        if (entry.type === 'delete') last.forget(stream, objectKey(entry.namespace, entry.name), entry.sequence);
      }
      removed += gone.length;
      highest = Math.max(highest, gone.at(-1)?.position ?? 0);
    }
    log.save({ ...row, retained: done ? 0 : portion.reached, removed: Math.max(row.removed, highest) });
    if (policy.maxAgeMs !== undefined) dropLetters.run(before);
    return { folded, result: { removed, done } };
  };

  return async (policy, budget) => {
    const { maxAgeMs, maxRevisionsPerObject } = policy;
    if (maxAgeMs === undefined && maxRevisionsPerObject === undefined) return { removed: 0, done: true };
    const { folded, result } = database.write('remove old revisions', () => step(policy, Math.max(1, budget)));
    folded();
    giveBack(database);
    return result;
  };
}

/** Which of the listed frames a step looks into, the last one that it has dealt with then, and what ends it. */
function portionOf(
  listed: readonly ListedFrame[],
  { youngFrom, now }: { readonly youngFrom: number; readonly now: number },
): { due: readonly ListedFrame[]; reached: number; end: 'bytes' | 'young' | 'listed' } {
  const due: ListedFrame[] = [];
  let reached = 0;
  let bytes = 0;
  for (const frame of listed) {
    if (bytes > stepBytes) return { due, reached, end: 'bytes' };
    const { id, oldest, size } = frame;
    if (oldest < youngFrom) {
      due.push(frame);
      bytes += size;
    } else if (oldest <= now) {
      // What follows is younger still. (From a time to come: the clock ran ahead; what follows may be old.)
      return { due, reached, end: 'young' };
    }
    reached = id;
  }
  return { due, reached, end: 'listed' };
}

function mayGo(
  entry: FrameEntry,
  stream: StreamRow,
  last: LastStates,
  before: number,
  { maxRevisionsPerObject = Infinity }: RetentionPolicy,
): boolean {
  if (entry.sequence > (stream.checkpoint?.published ?? 0)) return false;
  const isOld = entry.observedAt < before;
  const newest = last.get(stream, objectKey(entry.namespace, entry.name));
  if (newest !== undefined && newest.sequence === entry.sequence) return newest.deleted && isOld;
  return isOld || (newest?.ordinal ?? 0) - entry.ordinal >= Math.max(1, maxRevisionsPerObject);
}

/** Free pages are used again by new frames; a file that has become much too large shrinks. */
function giveBack(database: Database): void {
  const { sql } = database;
  const read = (name: string) => Number(Object.values(sql.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  if (read('freelist_count') * 10 <= read('page_count')) return;
  database.write('give space back', () => sql.exec(`PRAGMA incremental_vacuum(${vacuumPages})`));
}

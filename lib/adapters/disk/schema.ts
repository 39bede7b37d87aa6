// The tables of a data folder. A change here that older code cannot read or write needs a new `schemaVersion`.
import { checksum } from './checksum.ts';

/** Marks the file as ours (PRAGMA application_id): "mk8s" in ASCII. */
export const applicationId = 0x6d_6b_38_73;
/** PRAGMA user_version. */
export const schemaVersion = 2;

/**
 * - `log`: one row. `position` counts every revision ever recorded, in commit order; `removed` is the highest position
 *   that retention took away; `retained` is the frame at which the retention walk stands.
 * - `stream`: `ref` and `checkpoint` are JSON. `folded`: up to this sequence number `last_state` is written; what is
 *   newer is found in the frames (see last-states.ts). `fence`: the largest seen.
 * - `frame`: up to about a hundred revisions of one stream. `id` is the position of its last revision, so the order of
 *   ids is the order of recording, and a reader after a position seeks `id > position`. `last_sequence` likewise in its
 *   stream. `first` is the position of its first revision, `oldest` is the smallest observedAt in it. `data` is the frame as frame.ts makes it, `size` its length
 *   before compression.
 * - `last_state`: keys compare as UTF-8 bytes (SQLite's BINARY collation). `as_of` is null where it equals `rv`.
 *   `ordinal`: how many revisions the object had.
 * - `crc` of a row: over its other values, in their order (checksum.ts); of a subscription over name and position.
 */
export const schema = `
CREATE TABLE log (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  position INTEGER NOT NULL, removed INTEGER NOT NULL, retained INTEGER NOT NULL, crc INTEGER NOT NULL
) STRICT;
INSERT INTO log VALUES (1, 0, 0, 0, ${checksum(0, 0, 0)});
CREATE TABLE stream (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, cluster TEXT NOT NULL, ref TEXT NOT NULL,
  epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, folded INTEGER NOT NULL, rv TEXT,
  objects INTEGER NOT NULL, fence INTEGER NOT NULL, checkpoint TEXT, crc INTEGER NOT NULL
) STRICT;
CREATE TABLE frame (
  id INTEGER PRIMARY KEY, stream_id INTEGER NOT NULL, last_sequence INTEGER NOT NULL,
  first INTEGER NOT NULL, oldest REAL NOT NULL, size INTEGER NOT NULL, data BLOB NOT NULL
) STRICT;
CREATE INDEX frame_of_stream ON frame (stream_id, last_sequence);
CREATE TABLE last_state (
  stream_id INTEGER NOT NULL, key TEXT NOT NULL, uid TEXT NOT NULL, rv TEXT NOT NULL, as_of TEXT,
  epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, ordinal INTEGER NOT NULL, deleted INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  PRIMARY KEY (stream_id, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE lease (
  name TEXT PRIMARY KEY, fence INTEGER NOT NULL, holder TEXT, holder_id TEXT, expires_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE subscription (
  name TEXT PRIMARY KEY, position INTEGER NOT NULL, updated_at REAL NOT NULL, crc INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE dead_letter (
  sink TEXT NOT NULL, stream TEXT NOT NULL, id TEXT NOT NULL, sequence INTEGER NOT NULL, reason TEXT NOT NULL,
  at REAL NOT NULL, PRIMARY KEY (sink, stream, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX dead_letter_at ON dead_letter (at);
CREATE TABLE run_status (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL) STRICT;
CREATE TABLE stream_status (key TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

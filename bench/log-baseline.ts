// What the log is measured against: the same database and durability, used as one would at first. Each change is parsed
// for its identity and becomes a row; an index finds an object's history; the last state is written with the change.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Observed } from '../lib/model/revision.ts';

export interface BaselineLog {
  append(changes: readonly Observed[]): void;
  /** Reads everything in order, in pages; returns the number of changes and their bytes. */
  readAll(): { changes: number; bytes: number };
  close(): void;
}

interface Metadata {
  readonly metadata: {
    readonly namespace?: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
}

export function openBaselineLog(folder: string): BaselineLog {
  const sql = new DatabaseSync(join(folder, 'baseline.db'));
  sql.exec(`
    PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;
    CREATE TABLE revision (sequence INTEGER PRIMARY KEY, key TEXT NOT NULL, uid TEXT NOT NULL, rv TEXT NOT NULL,
      type TEXT NOT NULL, observed_at REAL NOT NULL, object TEXT NOT NULL);
    CREATE INDEX revision_of ON revision (key, sequence);
    CREATE TABLE last_state (key TEXT PRIMARY KEY, uid TEXT NOT NULL, rv TEXT NOT NULL, sequence INTEGER NOT NULL,
      deleted INTEGER NOT NULL) WITHOUT ROWID;`);
  const last = sql.prepare('SELECT rv, sequence FROM last_state WHERE key = ?');
  const put = sql.prepare('INSERT OR REPLACE INTO last_state VALUES (?, ?, ?, ?, ?)');
  const insert = sql.prepare('INSERT INTO revision VALUES (?, ?, ?, ?, ?, ?, ?)');
  const page = sql.prepare('SELECT * FROM revision WHERE sequence > ? ORDER BY sequence LIMIT 1000');
  let sequence = 0;
  return {
    append(changes) {
      sql.exec('BEGIN IMMEDIATE');
      for (const change of changes) {
        const text = Buffer.from(change.object.buffer, change.object.byteOffset, change.object.byteLength).toString();
        const { metadata } = JSON.parse(text) as Metadata;
        const key = `${metadata.namespace ?? ''}/${metadata.name}`;
        const known = last.get(key) as { rv: string } | undefined;
        if (known !== undefined && Number(known.rv) >= Number(metadata.resourceVersion)) continue;
        sequence += 1;
        const { uid, resourceVersion } = metadata;
        insert.run(sequence, key, uid, resourceVersion, change.type, change.observedAt, text);
        put.run(key, uid, resourceVersion, sequence, change.type === 'delete' ? 1 : 0);
      }
      sql.exec('COMMIT');
    },
    readAll() {
      let changes = 0;
      let bytes = 0;
      for (let after = 0; ; ) {
        const rows = page.all(after) as unknown as { sequence: number; object: string }[];
        const lastRow = rows.at(-1);
        if (lastRow === undefined) return { changes, bytes };
        changes += rows.length;
        for (const row of rows) bytes += row.object.length;
        after = lastRow.sequence;
      }
    },
    close: () => sql.close(),
  };
}

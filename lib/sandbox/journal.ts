// The store on disk: one SQLite file per cluster, written through before anyone hears of a change, so that a killed
// process loses no resourceVersion that a client has seen.
import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { EventType, StoreEvent } from './history.ts';
import { fromText } from './object.ts';
import type { Journal, Snapshot, Store } from './store.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS collections (id TEXT PRIMARY KEY, custom INTEGER NOT NULL, floor INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS objects (collection TEXT, key TEXT, text TEXT NOT NULL, PRIMARY KEY (collection, key)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS events (
    revision INTEGER PRIMARY KEY, collection TEXT NOT NULL, type TEXT NOT NULL, text TEXT NOT NULL, previous TEXT);
  CREATE INDEX IF NOT EXISTS events_of ON events (collection, revision);`;

export interface DiskJournal extends Journal {
  /** Fills an empty store with what is on disk. */
  load(store: Store): void;
  close(): void;
}

/** Opens or creates the file, readable by its owner only. `historyLimit`: events kept per collection. */
export function openJournal(file: string, historyLimit: number): DiskJournal {
  const database = new DatabaseSync(file);
  chmodSync(file, 0o600);
  try {
    // Exclusive: a second process on the same file would give out the same resourceVersions.
    database.exec('PRAGMA busy_timeout = 500; PRAGMA locking_mode = EXCLUSIVE;');
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    database.exec(schema);
  } catch (error) {
    database.close();
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot open the sandbox's database ${file}: ${why}. Is another sandbox running on it?`, {
      cause: error,
    });
  }
  return new SqliteJournal(database, historyLimit);
}

class SqliteJournal implements DiskJournal {
  readonly #database: DatabaseSync;
  readonly #historyLimit: number;
  readonly #appended = new Map<string, number>();
  readonly #known = new Set<string>();
  readonly #statements;

  constructor(database: DatabaseSync, historyLimit: number) {
    this.#database = database;
    this.#historyLimit = historyLimit;
    this.#statements = {
      event: database.prepare('INSERT INTO events (revision, collection, type, text, previous) VALUES (?, ?, ?, ?, ?)'),
      put: database.prepare('INSERT OR REPLACE INTO objects (collection, key, text) VALUES (?, ?, ?)'),
      delete: database.prepare('DELETE FROM objects WHERE collection = ? AND key = ?'),
      revision: database.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('revision', ?)"),
      collection: database.prepare('INSERT OR IGNORE INTO collections (id, custom, floor) VALUES (?, ?, ?)'),
      floor: database.prepare('UPDATE collections SET floor = max(floor, ?) WHERE id = ?'),
      oldest: database.prepare(
        'SELECT revision FROM events WHERE collection = ? ORDER BY revision DESC LIMIT 1 OFFSET ?',
      ),
      trim: database.prepare('DELETE FROM events WHERE collection = ? AND revision <= ?'),
    };
  }

  append(collection: string, event: StoreEvent): void {
    this.#transaction(() => {
      if (!this.#known.has(collection)) {
        this.#known.add(collection);
        // Custom resources' JSON begins with apiVersion, that of built-in kinds with kind.
        const custom = event.object.text.startsWith('{"apiVersion"') ? 1 : 0;
        this.#statements.collection.run(collection, custom, event.revision - 1);
      }
      const { type, revision, object, previous } = event;
      this.#statements.event.run(revision, collection, type, object.text, previous?.text ?? null);
      if (type === 'DELETED') this.#statements.delete.run(collection, object.key);
      else this.#statements.put.run(collection, object.key, object.text);
      this.#statements.revision.run(revision);
      this.#trim(collection);
    });
  }

  compact(collection: string, revision: number): void {
    this.#transaction(() => this.#dropUpTo(collection, revision));
  }

  remove(collection: string): void {
    this.#known.delete(collection);
    this.#transaction(() => {
      this.#database.prepare('DELETE FROM events WHERE collection = ?').run(collection);
      this.#database.prepare('DELETE FROM objects WHERE collection = ?').run(collection);
      this.#database.prepare('DELETE FROM collections WHERE id = ?').run(collection);
    });
  }

  restore({ revision, collections }: Snapshot): void {
    this.#transaction(() => {
      this.#database.prepare('DELETE FROM events WHERE revision > ?').run(revision);
      this.#database.prepare('UPDATE collections SET floor = ?').run(revision);
      this.#database.exec('DELETE FROM objects');
      for (const [id, { custom, objects }] of collections) {
        this.#statements.collection.run(id, custom ? 1 : 0, revision);
        for (const { key, text } of objects) this.#statements.put.run(id, key, text);
      }
      this.#statements.revision.run(revision);
    });
  }

  load(store: Store): void {
    const row = this.#database.prepare("SELECT value FROM meta WHERE key = 'revision'").get();
    if (row === undefined) return;
    for (const { id, custom, floor } of this.#database.prepare('SELECT id, custom, floor FROM collections').iterate()) {
      store.revision = Number(floor);
      store.collection(String(id), custom === 1);
      this.#known.add(String(id));
    }
    store.revision = Number(row['value']);
    for (const { collection, text } of this.#database.prepare('SELECT collection, text FROM objects').iterate()) {
      store.collections.get(String(collection))?.load(fromText(String(text)));
    }
    const events = this.#database.prepare(
      'SELECT revision, collection, type, text, previous FROM events ORDER BY revision',
    );
    for (const { revision, collection, type, text, previous } of events.iterate()) {
      store.collections.get(String(collection))?.history.append({
        type: String(type) as EventType,
        revision: Number(revision),
        object: fromText(String(text)),
        ...(previous === null || previous === undefined ? {} : { previous: fromText(String(previous)) }),
      });
    }
    for (const collection of store.collections.values()) collection.known = store.revision;
  }

  close(): void {
    this.#database.close();
  }

  /** Every quarter of the limit, not at every event. */
  #trim(collection: string): void {
    const count = (this.#appended.get(collection) ?? 0) + 1;
    this.#appended.set(collection, count);
    if (count % Math.max(1, Math.floor(this.#historyLimit / 4)) !== 0) return;
    const oldest = this.#statements.oldest.get(collection, this.#historyLimit);
    if (oldest !== undefined) this.#dropUpTo(collection, Number(oldest['revision']));
  }

  #dropUpTo(collection: string, revision: number): void {
    this.#statements.trim.run(collection, revision);
    this.#statements.floor.run(revision, collection);
  }

  #transaction(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

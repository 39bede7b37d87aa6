// One SQLite database in one folder: how it is opened, made, checked and written to.
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { Mk8sError } from '../../model/errors.ts';
import { applicationId, schema, schemaVersion } from './schema.ts';
import { sqliteCode, storageError } from './storage-error.ts';

export interface Database {
  /** The data folder, for messages. */
  readonly folder: string;
  readonly readOnly: boolean;
  readonly sql: DatabaseSync;
  /**
   * Runs `body` between BEGIN IMMEDIATE and COMMIT; durable when it returns. Whatever is thrown undoes it all.
   * `attempted` continues "Cannot …".
   */
  write<T>(attempted: string, body: () => T): T;
  /** Runs `body` so that all its reads see one state of the database. */
  read<T>(attempted: string, body: () => T): T;
  close(): void;
}

/** The database file of a data folder. */
const databaseFile = 'mk8s.db';

/**
 * Opens the database of `folder`, making both (folder 0700, files 0600) unless `readOnly`.
 * Throws Mk8sError `storage` or `full`.
 */
export function openDatabase(folder: string, readOnly: boolean): Database {
  try {
    if (!readOnly) makeFiles(folder);
    const sql = readOnly ? connectReadOnly(folder) : connect(folder);
    return wrap(folder, readOnly, sql);
  } catch (error) {
    throw storageError(error, readOnly ? 'read' : 'open the database', folder);
  }
}

function makeFiles(folder: string): void {
  if (mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined) chmodSync(folder, 0o700);
  // SQLite gives -wal and -shm the permissions of the database file.
  const path = join(folder, databaseFile);
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
}

function connect(folder: string): DatabaseSync {
  return prepare(folder, new DatabaseSync(join(folder, databaseFile), { timeout: busyTimeoutMs }));
}

/**
 * The database that an open connection leads to, its schema made where it has none: for connections that lead to no file.
 * `folder` is for messages. Closes the connection where it throws.
 */
export function databaseOver(sql: DatabaseSync, folder: string): Database {
  return wrap(folder, false, prepare(folder, sql));
}

function prepare(folder: string, sql: DatabaseSync): DatabaseSync {
  try {
    const isNew = !checkVersion(folder, sql);
    if (isNew) giveShape(sql);
    sql.exec(settings);
    if (isNew) makeSchema(folder, sql);
    return sql;
  } catch (error) {
    sql.close();
    throw error;
  }
}

/** How long a statement waits for another process' transaction, which takes milliseconds. */
const busyTimeoutMs = 5000;

/** Of the file, for as long as it lives. On an existing file these would write, which a full disk refuses. */
const shape = 'PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;';

/**
 * Memory is bounded: 8 MiB of pages (others come from the system's cache), no memory map. A WAL of 4,000 pages (16 MiB) was
 * as fast as one of 64 or 128 MiB, with pauses of 50 ms instead of 130 to 290 when it is written back. FULL syncs every
 * commit.
 */
const settings = `
  PRAGMA synchronous = FULL; PRAGMA cache_size = -8192; PRAGMA mmap_size = 0; PRAGMA wal_autocheckpoint = 4000;
  PRAGMA journal_size_limit = 33554432; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;
  PRAGMA trusted_schema = OFF;`;

function connectReadOnly(folder: string): DatabaseSync {
  const path = join(folder, databaseFile);
  if (!existsSync(path) || statSync(path).size === 0) {
    throw new Mk8sError(
      `Cannot read data folder "${folder}": there is no record in it. Name the folder that \`mk8s run --data\` writes to, or start that first`,
      { code: 'storage' },
    );
  }
  const attempt = (location: string | URL) => {
    const sql = new DatabaseSync(location, { readOnly: true, timeout: busyTimeoutMs });
    try {
      checkVersion(folder, sql);
      sql.exec('PRAGMA cache_size = -16384; PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON;');
      return sql;
    } catch (error) {
      sql.close();
      throw error;
    }
  };
  try {
    return attempt(path);
  } catch (error) {
    // On a medium that cannot be written SQLite can't make its shared memory; it needs none where nobody writes.
    const quiet = !existsSync(`${path}-wal`) || statSync(`${path}-wal`).size === 0;
    const refused = sqliteCode(error) === 14 || sqliteCode(error) === 8;
    if (!refused || !quiet) throw error;
    return attempt(new URL(`${pathToFileURL(path).href}?immutable=1`));
  }
}

function pragma(sql: DatabaseSync, name: string): number {
  return Number(Object.values(sql.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0);
}

function versionOf(sql: DatabaseSync): number {
  return pragma(sql, 'user_version');
}

/** False where the file is empty. Throws where it is not ours, or of another version. */
function checkVersion(folder: string, sql: DatabaseSync): boolean {
  // First the tables: another process that makes them now writes the version together with them.
  const tables = Number(sql.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n']);
  if (tables === 0) return false;
  const version = versionOf(sql);
  if (pragma(sql, 'application_id') !== applicationId) {
    throw new Mk8sError(
      `Cannot open data folder "${folder}": its ${databaseFile} was written by another program. Choose another folder`,
      { code: 'storage' },
    );
  }
  if (version !== schemaVersion) {
    throw new Mk8sError(
      `Cannot open data folder "${folder}": it has version ${version}, and this mk8s reads version ${schemaVersion}. ${version > schemaVersion ? 'Use the newer mk8s that wrote it' : 'Use the older mk8s that wrote it'}, or choose another folder`,
      { code: 'storage' },
    );
  }
  return true;
}

function makeSchema(folder: string, sql: DatabaseSync): void {
  sql.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have been faster.
    if (versionOf(sql) === 0) {
      sql.exec(`${schema}; PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion};`);
    }
    sql.exec('COMMIT');
  } catch (error) {
    if (sql.isTransaction) sql.exec('ROLLBACK');
    throw error;
  }
  checkVersion(folder, sql);
}

/**
 * Some locks that making a file needs are waited for by SQLite, others are not: here none are, and all of it is tried again
 * for as long as any other statement would wait. Two processes that make one folder meet here.
 */
function giveShape(sql: DatabaseSync): void {
  const pauseMs = 20;
  sql.exec('PRAGMA busy_timeout = 0');
  for (let waitedMs = 0; ; waitedMs += pauseMs) {
    try {
      sql.exec(shape);
      break;
    } catch (error) {
      if (sqliteCode(error) !== 5 || waitedMs >= busyTimeoutMs) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
    }
  }
  sql.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
}

function wrap(folder: string, readOnly: boolean, sql: DatabaseSync): Database {
  const run = <T>(begin: string, attempted: string, body: () => T): T => {
    try {
      sql.exec(begin);
      const result = body();
      sql.exec('COMMIT');
      return result;
    } catch (error) {
      if (sql.isOpen && sql.isTransaction) sql.exec('ROLLBACK');
      throw storageError(error, attempted, folder);
    }
  };
  return {
    folder,
    readOnly,
    sql,
    write(attempted, body) {
      if (!readOnly) return run('BEGIN IMMEDIATE', attempted, body);
      throw new Mk8sError(`Cannot ${attempted} in data folder "${folder}": it was opened for reading only`, {
        code: 'storage',
      });
    },
    read: (attempted, body) => run('BEGIN', attempted, body),
    close() {
      if (sql.isOpen) sql.close();
    },
  };
}

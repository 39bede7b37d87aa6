// Turns what SQLite and the file system throw into errors that say what to do.
import { statfsSync } from 'node:fs';
import { Mk8sError, messageOf } from '../../model/errors.ts';

/** Primary result codes, https://www.sqlite.org/rescode.html. */
const sqlite = {
  error: 1,
  perm: 3,
  busy: 5,
  readonly: 8,
  ioerr: 10,
  corrupt: 11,
  full: 13,
  cantopen: 14,
  toobig: 18,
  constraint: 19,
  mismatch: 20,
  notadb: 26,
} as const;

/**
 * `attempted` continues "Cannot …", e.g. `record changes`. Errors that are already ours come back as they are.
 */
export function storageError(error: unknown, attempted: string, folder: string): Mk8sError {
  if (error instanceof Mk8sError) return error;
  const fail = (why: string, code: 'storage' | 'full' = 'storage', retryable = code === 'full') =>
    new Mk8sError(`Cannot ${attempted} in data folder "${folder}": ${why}`, { code, retryable, cause: error });
  switch (sqliteCode(error) ?? systemCode(error)) {
    case sqlite.full:
    case 'ENOSPC':
    case 'EDQUOT':
      return fail('the disk is full. Make room; nothing recorded is lost and recording goes on by itself', 'full');
    case sqlite.ioerr:
      return isFull(folder)
        ? fail('the disk is full. Make room; nothing recorded is lost and recording goes on by itself', 'full')
        : fail(`reading or writing failed (${messageOf(error)}). Check the disk`);
    case sqlite.busy:
      return fail(
        'another process keeps it locked. Trying again helps once that process goes on or ends',
        'storage',
        true,
      );
    case sqlite.perm:
    case sqlite.readonly:
    case sqlite.cantopen:
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return fail(
        `it is read-only or belongs to another user (${messageOf(error)}). Make the folder and its files writable for this user, or choose another folder`,
      );
    case 'ENOTDIR':
    case 'EEXIST':
      return fail('a file is in the way. Choose another folder');
    case sqlite.corrupt:
    // Our statements fit our tables: where they don't, the tables are no longer ours.
    case sqlite.error:
    case sqlite.toobig:
    case sqlite.constraint:
    case sqlite.mismatch:
    case sqlite.notadb:
      return corrupt(folder, attempted, messageOf(error), error);
    case undefined:
    default:
      return fail(messageOf(error));
  }
}

/** What was read is not what was written. */
export function corrupt(folder: string, attempted: string, found: string, cause?: unknown): Mk8sError {
  return new Mk8sError(
    `Cannot ${attempted} in data folder "${folder}": it is damaged (${found}). Restore it from a backup, or move it away and start with a new one: the clusters' present state is then recorded anew`,
    { code: 'storage', cause },
  );
}

/** The primary result code where SQLite threw. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** A full disk shows up as SQLITE_IOERR where it hits the shared-memory file. */
function isFull(folder: string): boolean {
  try {
    return statfsSync(folder).bavail < 16;
  } catch {
    return false;
  }
}

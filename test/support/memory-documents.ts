// A document database in memory that takes and refuses what Firestore does, counts what would be paid for, and fails when told.

import { isDeepStrictEqual } from 'node:util';
import {
  type Document,
  type Documents,
  type Fields,
  type Query,
  Refused,
  type Write,
} from '../../lib/adapters/firestore/documents.ts';
import { Mk8sError } from '../../lib/model/errors.ts';
import { createDocumentIndex } from './document-index.ts';

/** https://cloud.google.com/firestore/quotas */
const MOST_DOCUMENT = 1_048_576;
const MOST_COMMIT = 10 * 1024 * 1024;
/** Of the emulator, and of Firestore until 2023. */
const MOST_WRITES = 500;

export interface MemoryDatabase {
  /** One client of it; any number share its documents. */
  open(): Documents;
  /** What was read, written and deleted so far, in documents: an empty query counts as one read. */
  readonly counts: { reads: number; writes: number; deletes: number };
  readonly paths: () => readonly string[];
  /** Asked before each commit: what becomes of it. */
  fate: (
    writes: readonly Write[],
  ) => 'done' | 'fails' | 'done, but fails' | Promise<'done' | 'fails' | 'done, but fails'>;
}

export function createMemoryDatabase(): MemoryDatabase {
  const stored = createDocumentIndex();
  const counts = { reads: 0, writes: 0, deletes: 0 };
  let version = 0;

  function check(write: Write): void {
    const before = stored.get(write.path);
    if (write.kind === 'create' && before !== undefined) throw new Refused(`${write.path} exists`);
    if (write.kind === 'change' && before?.version !== write.version) throw new Refused(`${write.path} was changed`);
    if (write.kind !== 'delete' && sizeOf(write.fields) > MOST_DOCUMENT) throw tooLarge(`document ${write.path}`);
  }

  function apply(write: Write): string {
    if (write.kind === 'delete') {
      stored.delete(write.path);
      counts.deletes += 1;
      return '';
    }
    const before = stored.get(write.path);
    const fields = copied({ ...(write.kind === 'change' ? before?.fields : {}), ...write.fields });
    counts.writes += 1;
    // As Firestore: what changes nothing is paid for, and leaves the version as it is.
    if (before !== undefined && isDeepStrictEqual(before.fields, fields)) return before.version;
    version += 1;
    stored.set({ path: write.path, fields, version: `${version}` });
    return `${version}`;
  }

  const database: MemoryDatabase = {
    counts,
    paths: () => stored.paths(),
    fate: () => 'done',
    open: () => ({
      async get(paths) {
        await Promise.resolve();
        counts.reads += paths.length;
        return paths.map((path) => stored.get(path));
      },
      async query(query) {
        await Promise.resolve();
        const found = search(stored.candidates(query), query);
        counts.reads += Math.max(1, found.length);
        return found;
      },
      async commit(writes) {
        if (writes.length > MOST_WRITES) throw tooLarge('commit');
        const bytes = writes.reduce((sum, write) => sum + (write.kind === 'delete' ? 0 : sizeOf(write.fields)), 0);
        if (bytes > MOST_COMMIT) throw tooLarge('commit');
        const fate = await database.fate(writes);
        if (fate === 'fails') throw away();
        for (const write of writes) check(write);
        const versions = writes.map(apply);
        if (fate === 'done, but fails') throw away();
        return versions;
      },
      async count(collection) {
        await Promise.resolve();
        return [...stored.candidates({ collection, where: [] })].length;
      },
      close: () => Promise.resolve(),
    }),
  };
  return database;
}

function search(documents: Iterable<Document>, { where, orderBy, limit, fields }: Query): readonly Document[] {
  const found = [...documents].filter(({ fields: has }) => where.every((condition) => holds(has, condition)));
  const field = orderBy?.field;
  const turn = orderBy?.descending === true ? -1 : 1;
  const byPath = (a: Document, b: Document): number => compare(a.path, b.path) * turn;
  // What lacks the field is in no index of it; what has the same value is ordered by name.
  const ordered =
    field === undefined
      ? found.sort(byPath)
      : found
          .filter(({ fields: has }) => has[field] !== undefined)
          .sort((a, b) => compare(a.fields[field], b.fields[field]) * turn || byPath(a, b));
  return ordered.slice(0, limit).map((document) => {
    if (fields === undefined) return document;
    const kept = Object.entries(document.fields).filter(([name]) => fields.includes(name));
    return { ...document, fields: Object.fromEntries(kept) };
  });
}

function holds(has: Fields, { field, is, value }: Query['where'][number]): boolean {
  const found = has[field];
  if (is === 'array-contains') return Array.isArray(found) && found.includes(value);
  if (found === undefined || found === null || typeof found !== typeof value) return false;
  const order = compare(found, value);
  return is === '==' ? order === 0 : is === '>' ? order > 0 : is === '>=' ? order >= 0 : order < 0;
}

function compare(a: unknown, b: unknown): number {
  const [x, y] = [a, b] as [number, number];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** As https://cloud.google.com/firestore/docs/storage-size counts, about. */
function sizeOf(fields: Fields): number {
  return Object.entries(fields).reduce((sum, [name, value]) => sum + name.length + 1 + sizeOfValue(value), 64);
}

function sizeOfValue(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value) + 1;
  if (value instanceof Uint8Array) return value.byteLength;
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + sizeOfValue(item), 0);
  return 8;
}

function copied(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Uint8Array ? Buffer.from(value) : value]),
  );
}

function tooLarge(what: string): Mk8sError {
  return new Mk8sError(`Cannot write documents: the ${what} is too large`, { code: 'storage' });
}

function away(): Mk8sError {
  return new Mk8sError('Cannot write documents in Firestore: UNAVAILABLE', { code: 'storage', retryable: true });
}

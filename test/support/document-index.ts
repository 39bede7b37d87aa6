// The documents of a database in memory by collection, and by the values that they are looked for by: without it, every query of a long
// simulation would look through everything.
import type { Document, Fields, Query } from '../../lib/adapters/firestore/documents.ts';

export interface DocumentIndex {
  get(path: string): Document | undefined;
  set(document: Document): void;
  delete(path: string): void;
  /** What may answer a query; it is still to be compared with all conditions. */
  candidates(query: Pick<Query, 'collection' | 'where'>): Iterable<Document>;
  paths(): readonly string[];
}

type ByPath = Map<string, Document>;

export function createDocumentIndex(): DocumentIndex {
  const stored: ByPath = new Map();
  /** By collection, and by collection, field and value. */
  const groups = new Map<string, ByPath>();

  function remove(path: string): void {
    const before = stored.get(path);
    if (before === undefined) return;
    stored.delete(path);
    for (const name of namesOf(before)) groups.get(name)?.delete(path);
  }

  return {
    get: (path) => stored.get(path),
    set(document) {
      const { path } = document;
      remove(path);
      stored.set(path, document);
      for (const name of namesOf(document)) {
        const group = groups.get(name);
        if (group === undefined) groups.set(name, new Map([[path, document]]));
        else group.set(path, document);
      }
    },
    delete: remove,
    candidates({ collection, where }) {
      const exact = where.find(
        ({ is, value }) => typeof value === 'string' && (is === '==' || is === 'array-contains'),
      );
      const name = exact === undefined ? collection : nameOf(collection, exact.field, String(exact.value));
      return groups.get(name)?.values() ?? [];
    },
    paths: () => [...stored.keys()],
  };
}

function namesOf({ path, fields }: Document): readonly string[] {
  const collection = path.slice(0, path.indexOf('/'));
  return [collection, ...valuesOf(fields).map(([field, value]) => nameOf(collection, field, value))];
}

function valuesOf(fields: Fields): readonly (readonly [string, string])[] {
  return Object.entries(fields).flatMap(([field, value]) => {
    if (typeof value === 'string') return [[field, value] as const];
    return Array.isArray(value) ? value.map((item) => [field, String(item)] as const) : [];
  });
}

function nameOf(collection: string, field: string, value: string): string {
  return `${collection}\n${field}\n${value}`;
}

// The last state of every object of a stream, in pages of a few hundred in key order. A page is never changed: what replaces it
// gets a name of its own, and the stream's document names the pages that count. So a reader sees one state, and a crash leaves
// nothing half done. Pages are written when states have gathered (folding.ts), not with every change.
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Known } from '../../history/recent-states.ts';
import { Mk8sError } from '../../model/errors.ts';
import { resourceVersion } from '../../model/resource-version.ts';
import { compareObjectKeys, keyOf, type ObjectKey } from '../../model/revision.ts';
import type { Document, Documents, Write } from './documents.ts';

/** The pages of a stream in key order: each holds the keys from `first` to the next page's. The first one's is ''. */
export type PageTable = readonly { readonly first: ObjectKey; readonly id: string }[];

interface Folded {
  readonly table: PageTable;
  readonly writes: readonly Write[];
  /** Paths of pages that do not count any more once the table does. */
  readonly obsolete: readonly string[];
}

export interface Pages {
  /** The states of these keys, as far as there are any. Reads the pages that are not in memory. */
  lookup(table: PageTable, keys: readonly ObjectKey[]): Promise<ReadonlyMap<ObjectKey, Known>>;
  page(table: PageTable, index: number): Promise<readonly Known[]>;
  /** Index of the page that holds a key; -1 where there is no page. */
  placeOf(table: PageTable, key: ObjectKey): number;
  /** The table with these states put in, and those without one (undefined) taken out. */
  fold(table: PageTable, states: ReadonlyMap<ObjectKey, Known | undefined>): Promise<Folded>;
}

/** About 20 KB compressed, and a millisecond to read. */
const MOST_STATES = 512;
/** Pages in memory: about 8 MB. */
const MOST_CACHED = 32_768;

/** `most`: states of a page. */
export function createPages(documents: Documents, makeId: () => string, most = MOST_STATES): Pages {
  /** In order of use, the oldest first. */
  const cache = new Map<string, readonly Known[]>();
  let cached = 0;

  function keep(id: string, states: readonly Known[]): void {
    forget(id);
    cache.set(id, states);
    cached += states.length;
    for (const oldest of cache.keys()) {
      if (cached <= MOST_CACHED || oldest === id) break;
      forget(oldest);
    }
  }

  function forget(id: string): void {
    cached -= cache.get(id)?.length ?? 0;
    cache.delete(id);
  }

  async function load(ids: readonly string[]): Promise<ReadonlyMap<string, readonly Known[]>> {
    const absent = ids.filter((id) => !cache.has(id));
    const found = new Map<string, readonly Known[]>();
    const read = absent.length === 0 ? [] : await documents.get(absent.map(pathOf));
    for (const [i, document] of read.entries()) {
      const id = absent[i] as string;
      const states = statesOf(document, id);
      found.set(id, states);
      keep(id, states);
    }
    for (const id of ids) {
      const states = cache.get(id);
      if (states === undefined || found.has(id)) continue;
      found.set(id, states);
      keep(id, states);
    }
    return found;
  }

  async function page(table: PageTable, index: number): Promise<readonly Known[]> {
    const id = table[index]?.id;
    return id === undefined ? [] : ((await load([id])).get(id) ?? []);
  }

  return {
    placeOf,
    page,
    async lookup(table, keys) {
      const found = new Map<ObjectKey, Known>();
      if (table.length === 0) return found;
      const places = keys.map((key) => table[placeOf(table, key)]?.id as string);
      const loaded = await load([...new Set(places)]);
      for (const [i, key] of keys.entries()) {
        const known = search(loaded.get(places[i] as string) ?? [], key);
        if (known !== undefined) found.set(key, known);
      }
      return found;
    },
    async fold(table, states) {
      const byPage = new Map<number, ObjectKey[]>();
      for (const key of states.keys()) {
        const place = Math.max(0, placeOf(table, key));
        byPage.set(place, [...(byPage.get(place) ?? []), key]);
      }
      const next: { first: ObjectKey; id: string }[] = [];
      const writes: Write[] = [];
      const obsolete: string[] = [];
      for (let place = 0; place < Math.max(1, table.length); place += 1) {
        const before = table[place];
        const changed = byPage.get(place);
        if (changed === undefined) {
          if (before !== undefined) next.push(before);
          continue;
        }
        const merged = mergeStates(await page(table, place), states, changed);
        if (before !== undefined) obsolete.push(pathOf(before.id));
        for (let from = 0; from < merged.length; from += most) {
          const part = merged.slice(from, from + most);
          const id = makeId();
          next.push({ first: keyOf(part[0] as Known), id });
          writes.push({ kind: 'create', path: pathOf(id), fields: { data: pack(part) } });
          keep(id, part);
        }
      }
      if (next[0] !== undefined) next[0] = { ...next[0], first: '' as ObjectKey };
      return { table: next, writes, obsolete };
    },
  };
}

function pathOf(id: string): string {
  return `pages/${id}`;
}

function placeOf(table: PageTable, key: ObjectKey): number {
  let from = 0;
  let to = table.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (compareObjectKeys(table[middle]?.first as ObjectKey, key) <= 0) from = middle + 1;
    else to = middle;
  }
  return from - 1;
}

function search(states: readonly Known[], key: ObjectKey): Known | undefined {
  let from = 0;
  let to = states.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    const order = compareObjectKeys(keyOf(states[middle] as Known), key);
    if (order === 0) return states[middle];
    if (order < 0) from = middle + 1;
    else to = middle;
  }
  return undefined;
}

/** In key order. */
function mergeStates(
  before: readonly Known[],
  states: ReadonlyMap<ObjectKey, Known | undefined>,
  changed: readonly ObjectKey[],
): readonly Known[] {
  const replaced = new Set(changed);
  const kept = before.filter((state) => !replaced.has(keyOf(state)));
  const put = changed.flatMap((key) => states.get(key) ?? []);
  return [...kept, ...put]
    .map((state): readonly [ObjectKey, Known] => [keyOf(state), state])
    .sort(([a], [b]) => compareObjectKeys(a, b))
    .map(([, state]) => state);
}

type Row = readonly [
  namespace: string,
  name: string,
  uid: string,
  rv: string,
  /** null where it equals rv. */
  asOf: string | null,
  epoch: number,
  sequence: number,
  ordinal: number,
  deleted: 0 | 1,
];

const params = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 };

function pack(states: readonly Known[]): Uint8Array {
  const rows = states.map(
    ({ namespace, name, uid, resourceVersion: rv, asOf, epoch, sequence, ordinal, deleted }): Row => {
      return [namespace, name, uid, rv, asOf === rv ? null : asOf, epoch, sequence, ordinal, deleted ? 1 : 0];
    },
  );
  return zstdCompressSync(JSON.stringify(rows), { params });
}

function statesOf(document: Document | undefined, id: string): readonly Known[] {
  if (document === undefined) {
    throw new Mk8sError(`Cannot read page ${id} of last states in Firestore: its stream was written meanwhile`, {
      code: 'storage',
      retryable: true,
    });
  }
  const rows = JSON.parse(zstdDecompressSync(document.fields['data'] as Uint8Array).toString()) as readonly Row[];
  return rows.map(([namespace, name, uid, rv, asOf, epoch, sequence, ordinal, deleted]) => ({
    namespace,
    name,
    uid,
    resourceVersion: resourceVersion(rv),
    asOf: resourceVersion(asOf ?? rv),
    epoch,
    sequence,
    ordinal,
    deleted: deleted === 1,
  }));
}

export function packTable(table: PageTable): Uint8Array {
  return zstdCompressSync(JSON.stringify(table.map(({ first, id }) => [first, id])), { params });
}

export function unpackTable(bytes: unknown): PageTable {
  if (!(bytes instanceof Uint8Array)) return [];
  const rows = JSON.parse(zstdDecompressSync(bytes).toString()) as readonly [ObjectKey, string][];
  return rows.map(([first, id]) => ({ first, id }));
}

// What `mk8s status` shows, in Firestore: one document of each share of the work, compressed, and in parts above the limit of a
// document. Losing it loses nothing, so it is written now and then: a write a second would cost more than a quiet fleet.
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { streamKey } from '../../model/stream.ts';
import type { StreamStatus } from '../../model/stream-status.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RunStatus, StatusStore } from '../../ports/status-store.ts';
import type { Document, Documents, Write } from './documents.ts';

/** Between two writes of a run that goes on, milliseconds. */
const EVERY_MS = 30_000;
const MOST_BYTES = 800_000;
/** Shares that are read. */
const MOST_SHARES = 200;
/** Of a share that nobody has any more, milliseconds. */
const EXPIRES_AFTER_MS = 30 * 24 * 3_600_000;

interface Contents {
  readonly run: RunStatus;
  readonly streams: readonly StreamStatus[];
}

/** `share`: which part of the work this process does, e.g. `0-of-4`; each has its own document. */
export function firestoreStatus(documents: Documents, clock: Clock, share: string): StatusStore {
  const rows = new Map<string, StreamStatus>();
  let last: RunStatus | undefined;
  let writtenAt = 0;

  async function write(run: RunStatus): Promise<void> {
    const bytes = pack({ run, streams: [...rows.values()] });
    const parts: Uint8Array[] = [];
    for (let from = 0; from < bytes.length; from += MOST_BYTES) parts.push(bytes.subarray(from, from + MOST_BYTES));
    const expireAt = new Date(clock.now() + EXPIRES_AFTER_MS);
    const put = (path: string, data: Uint8Array, more = {}): Write => {
      return { kind: 'put', path, fields: { data, expireAt, ...more } };
    };
    const [first = new Uint8Array(), ...rest] = parts;
    await documents.commit([
      put(`status/${share}`, first, { parts: parts.length, updatedAt: run.updatedAt }),
      ...rest.map((part, i) => put(`statusParts/${share}-${i + 1}`, part)),
    ]);
  }

  async function contentsOf(document: Document): Promise<Contents> {
    const name = document.path.slice(document.path.indexOf('/') + 1);
    const paths = Array.from(
      { length: Number(document.fields['parts']) - 1 },
      (_, i) => `statusParts/${name}-${i + 1}`,
    );
    const rest = paths.length === 0 ? [] : await documents.get(paths);
    const bytes = [document, ...rest].map((part) => part?.fields['data'] as Uint8Array);
    return unpack(Buffer.concat(bytes));
  }

  return {
    async write(run, streams) {
      for (const row of streams) rows.set(streamKey(row.stream), row);
      const isNews = last === undefined || last.run !== run.run || last.running !== run.running;
      last = run;
      if (!isNews && clock.now() - writtenAt < EVERY_MS) return;
      await write(run);
      writtenAt = clock.now();
    },
    async read() {
      const found = await documents.query({ collection: 'status', where: [], limit: MOST_SHARES });
      const all = await Promise.all(found.map(contentsOf));
      const newest = all.toSorted((a, b) => b.run.updatedAt - a.run.updatedAt);
      const streams = new Map<string, StreamStatus>();
      for (const { streams: some } of newest) {
        for (const row of some) {
          const key = streamKey(row.stream);
          if (!(Number(streams.get(key)?.updatedAt) >= row.updatedAt)) streams.set(key, row);
        }
      }
      return { run: newest[0]?.run, streams: [...streams.values()] };
    },
  };
}

function pack(contents: Contents): Uint8Array {
  const params = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 };
  return zstdCompressSync(JSON.stringify(contents), { params });
}

function unpack(bytes: Uint8Array): Contents {
  return JSON.parse(zstdDecompressSync(bytes).toString()) as Contents;
}

// What `mk8s status` shows, in Firestore: one document of each share of the work, compressed, and in parts above the limit of a
// document. Losing it loses nothing, so it is written now and then: a write a second would cost more than a quiet fleet.
import { streamKey } from '../../model/stream.ts';
import type { StreamStatus } from '../../model/stream-status.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RunStatus, StatusStore } from '../../ports/status-store.ts';
import type { Documents } from './documents.ts';
import { packedWrites, unpacked } from './packed.ts';

/** Between two writes of a run that goes on, milliseconds. */
const EVERY_MS = 30_000;
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
    const expireAt = new Date(clock.now() + EXPIRES_AFTER_MS);
    const contents: Contents = { run, streams: [...rows.values()] };
    await documents.commit(packedWrites(`status/${share}`, contents, { expireAt }));
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
      const all = await Promise.all(found.map(async (document) => (await unpacked(documents, document)) as Contents));
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

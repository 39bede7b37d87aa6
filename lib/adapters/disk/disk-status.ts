// What `mk8s status` in another process reads.
import { streamKey } from '../../model/stream.ts';
import type { StreamStatus } from '../../model/stream-status.ts';
import type { RunStatus, StatusStore } from '../../ports/status-store.ts';
import type { Database } from './database.ts';

export function createDiskStatus(database: Database): StatusStore {
  const { sql } = database;
  const getRun = sql.prepare('SELECT json FROM run_status');
  const putRun = sql.prepare('INSERT OR REPLACE INTO run_status VALUES (1, ?)');
  const getStreams = sql.prepare('SELECT json FROM stream_status ORDER BY key');
  const putStream = sql.prepare('INSERT OR REPLACE INTO stream_status VALUES (?, ?)');

  return {
    async write(run, streams) {
      database.write('write the status', () => {
        putRun.run(JSON.stringify(run));
        for (const status of streams) putStream.run(streamKey(status.stream), JSON.stringify(status));
      });
    },
    async read() {
      return database.read('read the status', () => {
        const run = getRun.get()?.['json'];
        const streams = getStreams.all().map(({ json }) => JSON.parse(String(json)) as StreamStatus);
        return { run: run === undefined ? undefined : (JSON.parse(String(run)) as RunStatus), streams };
      });
    },
  };
}

// Checkpoints of a data folder: a column of the stream's row, so that the log sees the same fences.
import { mustMoveOn } from '../../history/fencing.ts';
import type { CheckpointStore } from '../../ports/checkpoint-store.ts';
import type { Database } from './database.ts';
import type { StreamTable } from './stream-table.ts';

export function createDiskCheckpoints(database: Database, streams: StreamTable): CheckpointStore {
  return {
    async get(ref) {
      return database.read('read a checkpoint', () => streams.find(ref)?.checkpoint);
    },
    async compareAndSet(ref, previous, next) {
      database.write('write a checkpoint', () => {
        const row = streams.open(ref);
        mustMoveOn(row.key, previous, next, row);
        streams.save({ ...row, fence: next.fence, checkpoint: next });
      });
    },
  };
}

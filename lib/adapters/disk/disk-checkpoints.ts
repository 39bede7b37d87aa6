// Checkpoints of a data folder: a column of the stream's row, so that the log sees the same fences.
import { type Checkpoint, isSameCheckpoint } from '../../model/checkpoint.ts';
import { Mk8sError } from '../../model/errors.ts';
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
        const refuse = (why: string) =>
          new Mk8sError(
            `Cannot move the checkpoint of stream "${row.key}": ${why}. Its new owner goes on; this one must stop`,
            {
              code: 'fenced',
            },
          );
        if (next.fence < row.fence) {
          throw refuse(`another process took it over (fence ${row.fence}, ours is ${next.fence})`);
        }
        if (!isSameCheckpoint(row.checkpoint, previous)) {
          throw refuse(`it was moved by another process (to ${show(row.checkpoint)}, ours was ${show(previous)})`);
        }
        streams.save({ ...row, fence: next.fence, checkpoint: next });
      });
    },
  };
}

function show(checkpoint: Checkpoint | undefined): string {
  return checkpoint === undefined ? 'none' : `epoch ${checkpoint.epoch}, sequence ${checkpoint.published}`;
}

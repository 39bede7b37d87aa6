import type { Checkpoint } from '../model/checkpoint.ts';
import type { StreamRef } from '../model/stream.ts';

export interface CheckpointStore {
  get(stream: StreamRef): Promise<Checkpoint | undefined>;
  /**
   * Writes `next` if the stored checkpoint still is `previous` (compared by published, epoch, resourceVersion and fence)
   * and `next.fence` is not smaller than any fence seen for the stream. Else throws Mk8sError `fenced`. Durable when resolved.
   */
  compareAndSet(stream: StreamRef, previous: Checkpoint | undefined, next: Checkpoint): Promise<void>;
}

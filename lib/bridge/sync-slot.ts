// A stream's place among those that synchronise at the same time (promise 7).
import type { WatchOutput } from '../watch/watch-context.ts';
import type { StreamServices } from './stream-task.ts';

/**
 * Keeps the number of syncs that go on at once bounded: each has bytes in flight, here and in the API server. One of each
 * cluster always may, however long those of another cluster take.
 */
export function syncSlot(
  { syncs }: StreamServices,
  cluster: string,
  signal: AbortSignal,
): { take(output: WatchOutput): Promise<void>; release(): void } {
  let release: (() => void) | undefined;
  function free(): void {
    release?.();
    release = undefined;
  }
  return {
    async take(output) {
      if (output.kind !== 'state') return;
      // A state is handed out before its request is made: nobody holds an open list while waiting for a place.
      const syncing = output.state.kind === 'streaming' || output.state.kind === 'paging';
      if (syncing) release ??= await syncs.acquire(cluster, signal);
      else free();
    },
    release: free,
  };
}

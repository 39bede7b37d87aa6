// Loaded into a measured process (`node --import`): tells the soak now and then what V8 holds, and writes a heap snapshot
// when asked for one.
import { getHeapSpaceStatistics, writeHeapSnapshot } from 'node:v8';

/** What the measured process says of itself, in bytes. */
export interface Probe extends Pick<NodeJS.MemoryUsage, 'heapUsed' | 'heapTotal' | 'external' | 'arrayBuffers'> {
  /** Used and committed, of V8's spaces that have any. */
  readonly spaces?: Readonly<Record<string, readonly [used: number, committed: number]>>;
}

const EVERY_MS = 10_000;

if (process.send !== undefined) {
  setInterval(() => {
    const { heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
    process.send?.({ heapUsed, heapTotal, external, arrayBuffers, spaces: spaces() } satisfies Probe);
  }, EVERY_MS).unref();
  process.on('message', (message: { snapshot?: string }) => {
    if (message.snapshot !== undefined) writeHeapSnapshot(message.snapshot);
  });
  // A listener keeps the process open; the probe must not.
  process.channel?.unref();
}

function spaces(): NonNullable<Probe['spaces']> {
  return Object.fromEntries(
    getHeapSpaceStatistics()
      .filter(({ space_size }) => space_size > 0)
      .map(({ space_name, space_used_size, space_size }) => [space_name, [space_used_size, space_size]] as const),
  );
}

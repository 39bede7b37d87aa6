// Loaded into a measured process (`node --import`): tells the soak now and then what V8 holds, and writes a heap snapshot
// when asked for one.
import { writeHeapSnapshot } from 'node:v8';

/** What the measured process says of itself, in bytes. */
export type Probe = Pick<NodeJS.MemoryUsage, 'heapUsed' | 'heapTotal' | 'external' | 'arrayBuffers'>;

const EVERY_MS = 10_000;

if (process.send !== undefined) {
  setInterval(() => {
    const { heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
    process.send?.({ heapUsed, heapTotal, external, arrayBuffers } satisfies Probe);
  }, EVERY_MS).unref();
  process.on('message', (message: { snapshot?: string }) => {
    if (message.snapshot !== undefined) writeHeapSnapshot(message.snapshot);
  });
  // A listener keeps the process open; the probe must not.
  process.channel?.unref();
}

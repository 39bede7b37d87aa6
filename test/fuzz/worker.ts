// The thread in which a target is fuzzed.
import { parentPort, workerData } from 'node:worker_threads';
import { fuzzTarget } from './fuzz-target.ts';
import { targetNamed } from './targets.ts';
import { SLOT, type WorkerTask } from './watched-run.ts';

const { target, seed, cases, forMs, slot } = workerData as WorkerTask;
const header = new Int32Array(slot, 0, 2);
const bytes = new Uint8Array(slot, SLOT.header);
const startedAt = Date.now();

const result = await fuzzTarget(await targetNamed(target), {
  seed,
  cases,
  isOver: () => forMs !== undefined && Date.now() - startedAt > forMs,
  onInput(input) {
    bytes.set(input.subarray(0, SLOT.bytes));
    Atomics.store(header, 1, Math.min(input.length, SLOT.bytes));
    Atomics.add(header, 0, 1);
  },
});
parentPort?.postMessage(result, []);

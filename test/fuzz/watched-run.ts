// Fuzzes one target in a thread of its own, so that a reader that never returns, or that ends the process, is a finding
// too: the input at hand lies in memory that both threads share.
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { FuzzResult } from './fuzz-target.ts';

export interface WatchedOptions {
  readonly target: string;
  readonly seed: number;
  readonly cases: number;
  /** Stop after this long, milliseconds; default never. */
  readonly forMs?: number;
}

/** What the thread is given. */
export interface WorkerTask {
  readonly target: string;
  readonly seed: number;
  readonly cases: number;
  readonly forMs: number | undefined;
  readonly slot: SharedArrayBuffer;
}

/** Of the shared memory: two 32-bit numbers (inputs so far, length of the present one), then its bytes. */
export const SLOT = { header: 8, bytes: 4 * 1024 * 1024 } as const;

/** No reader needs this long for an input of a few kilobytes; a busy machine makes it slow, not this slow. */
const HANG_MS = 60_000;
const LOOK_EVERY_MS = 1_000;

export async function watchedRun({ target, seed, cases, forMs }: WatchedOptions): Promise<FuzzResult> {
  const slot = new SharedArrayBuffer(SLOT.header + SLOT.bytes);
  const task: WorkerTask = { target, seed, cases, forMs, slot };
  const worker = new Worker(fileURLToPath(new URL('worker.ts', import.meta.url)), { workerData: task });
  const { promise, resolve, reject } = Promise.withResolvers<FuzzResult>();
  const header = new Int32Array(slot, 0, 2);
  const lost = (error: string): void => {
    const count = Atomics.load(header, 0);
    const input = Uint8Array.from(new Uint8Array(slot, SLOT.header, Atomics.load(header, 1)));
    if (count === 0) reject(new Error(`Target ${target}: ${error}`));
    else resolve({ cases: count, corpus: 0, outcomes: {}, failure: { where: `input ${count}`, input, error } });
  };
  let seen = -1;
  let since = Date.now();
  const timer = setInterval(() => {
    const count = Atomics.load(header, 0);
    if (count !== seen) [seen, since] = [count, Date.now()];
    else if (Date.now() - since > HANG_MS) lost(`the reader did not return within ${HANG_MS / 1000} s`);
  }, LOOK_EVERY_MS);
  worker.on('message', (result: FuzzResult) => resolve(result));
  worker.on('error', (error) => lost(error instanceof Error ? (error.stack ?? error.message) : String(error)));
  worker.on('exit', (code) => lost(`the thread ended with exit code ${code}`));
  try {
    return await promise;
  } finally {
    clearInterval(timer);
    await worker.terminate();
  }
}

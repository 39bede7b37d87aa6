// Seeds over several processes: each seed is a world of its own, so any process may run it.
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { BatchResult, Range } from './batch.ts';

/** Seeds handed out at a time. */
const RANGE = 50;
/** Ranges that a process gets: what waits for ever in worlds that are over stays in its memory, and slows it down. */
const RANGES = 20;

export interface Job extends Range {
  readonly jobs: number;
  readonly onResult: (result: BatchResult) => void;
}

export async function runJobs({ from, seeds, jobs, first, onResult, ...forced }: Job): Promise<readonly BatchResult[]> {
  const results: BatchResult[] = [];
  let next = from;
  let over = false;

  async function work(): Promise<void> {
    while (next < from + seeds && !over) await workFresh();
  }

  async function workFresh(): Promise<void> {
    const child = fork(join(import.meta.dirname, 'worker.ts'));
    try {
      for (let ranges = 0; ranges < RANGES && next < from + seeds && !over; ranges += 1) {
        const range = { ...forced, from: next, seeds: Math.min(RANGE, from + seeds - next), first };
        next += range.seeds;
        const result = await ask(child, range);
        results.push(result);
        onResult(result);
        if (first && result.findings.length > 0) over = true;
      }
    } finally {
      child.kill();
    }
  }
  await Promise.all(Array.from({ length: Math.min(jobs, Math.ceil(seeds / RANGE)) }, work));
  return results;
}

function ask(child: ChildProcess, range: Range): Promise<BatchResult> {
  return new Promise((resolve, reject) => {
    const died = (code: number | null): void => reject(new Error(`A simulating process ended with ${code}`));
    child.once('exit', died);
    child.once('message', (result) => {
      child.off('exit', died);
      resolve(result as BatchResult);
    });
    child.send(range);
  });
}

import { expect, test } from 'vitest';
import { watchForStalls } from '../../../lib/bridge/stalls.ts';

/** Each sleep takes as long as listed, then the clock ends the watch. */
async function stallsOf(sleeps: readonly number[]): Promise<readonly number[]> {
  const over = new AbortController();
  const left = [...sleeps];
  let now = 1_000_000;
  const clock = {
    now: () => now,
    sleep: (_: number, signal?: AbortSignal) => {
      const took = left.shift();
      if (took === undefined) over.abort(new Error('the test ends'));
      signal?.throwIfAborted();
      now += took ?? 0;
      return Promise.resolve();
    },
  };
  const stalls: number[] = [];
  await watchForStalls(clock, over.signal, (ms) => stalls.push(ms));
  return stalls;
}

test('a process that stood still is told for how long', async () => {
  expect(await stallsOf([5_000, 65_000, 5_100])).toEqual([60_000]);
});

test('a busy machine, and a clock that is set back, are no standstill', async () => {
  expect(await stallsOf([5_000, 12_000, -3_600_000, 19_999])).toEqual([]);
});

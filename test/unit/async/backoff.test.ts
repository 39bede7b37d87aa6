// The delays between attempts.
import { expect, test } from 'vitest';
import { backoffDelay } from '../../../lib/async/backoff.ts';

const policy = { baseMs: 500, maxMs: 30_000 };
const latest = (failures: number): number => backoffDelay(failures, policy, () => 1);
const earliest = (failures: number): number => backoffDelay(failures, policy, () => 0);

test('doubles from the base with each failure, up to the longest', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 8].map(latest)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});

test('takes off up to a half at random, so that many clients do not return together', () => {
  expect([1, 2, 7].map(earliest)).toEqual([250, 500, 15_000]);
  expect(backoffDelay(1, policy, () => 0.5)).toBe(375);
});

test('stays a delay after any number of failures, also none', () => {
  expect([0, -1, 31, 1e6, Number.MAX_SAFE_INTEGER].map(latest)).toEqual([500, 500, 30_000, 30_000, 30_000]);
});

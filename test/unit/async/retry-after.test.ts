// How far a peer's Retry-After is obeyed.
import { expect, test } from 'vitest';
import { patience } from '../../../lib/async/retry-after.ts';

test('waits as long as a server asks, up to five minutes', () => {
  expect(patience(32_000)).toEqual({ waitMs: 32_000, note: '' });
  expect(patience(300_000)).toEqual({ waitMs: 300_000, note: '' });
});

test('promise 10: of a longer wait five minutes are waited, and it is said what was asked', () => {
  const note = ' (Retry-After asks for 1000000000 s; trying again after 300 s)';
  expect(patience(1e12)).toEqual({ waitMs: 300_000, note });
  expect(patience(Number.POSITIVE_INFINITY).waitMs).toBe(300_000);
});

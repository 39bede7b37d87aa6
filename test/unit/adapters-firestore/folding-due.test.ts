// Which streams are folded: those where enough has gathered, and the largest while all together have too much.
import { expect, test } from 'vitest';
import { dueOf } from '../../../lib/adapters/firestore/folding.ts';

const limits = { stream: 100, all: 150, frames: 8 };
const gathered = (name: string, states: number, frames = 0) => ({ name, recent: { size: states }, frames });
const due = (...streams: ReturnType<typeof gathered>[]) => dueOf(streams, limits).map(({ name }) => name);

test('a stream is due from its limit of states on, or of frames', () => {
  expect(due(gathered('a', 99, 7))).toEqual([]);
  expect(due(gathered('a', 100))).toEqual(['a']);
  expect(due(gathered('a', 1, 8))).toEqual(['a']);
});

test('of streams that are small each, the largest are due until what is left of all is within the limit', () => {
  expect(due(gathered('a', 30), gathered('b', 70), gathered('c', 50))).toEqual([]);
  expect(due(gathered('a', 30), gathered('b', 70), gathered('c', 51))).toEqual(['b']);
  expect(due(gathered('a', 90), gathered('b', 99), gathered('c', 95), gathered('d', 20))).toEqual(['b', 'c']);
});

test('a stream that is due by itself counts for the others: what it holds will be gone', () => {
  expect(due(gathered('a', 80), gathered('b', 140), gathered('c', 60))).toEqual(['b']);
  expect(due(gathered('a', 80), gathered('b', 3, 8), gathered('c', 72))).toEqual(['a', 'b']);
});

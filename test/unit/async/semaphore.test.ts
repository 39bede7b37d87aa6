// At most so many at once.
import { expect, test } from 'vitest';
import { createSemaphore } from '../../../lib/async/semaphore.ts';
import { idle } from '../../support/scripted-clock.ts';

const never = new AbortController().signal;

/** Callers by name, noted as they enter; leaving is theirs. */
function callers(places: number) {
  const semaphore = createSemaphore(places);
  const entered: string[] = [];
  const leave = new Map<string, () => void>();
  return {
    entered,
    leave: async (name: string): Promise<void> => {
      leave.get(name)?.();
      await idle();
    },
    come: async (name: string, signal = never): Promise<void> => {
      void semaphore.acquire(signal).then(
        (release) => {
          entered.push(name);
          leave.set(name, release);
        },
        (reason: Error) => entered.push(`${name}: ${reason.message}`),
      );
      await idle();
    },
  };
}

test('lets in as many as there are places, the rest in the order in which they came', async () => {
  const { come, leave, entered } = callers(2);
  for (const name of ['a', 'b', 'c', 'd']) await come(name);
  expect(entered).toEqual(['a', 'b']);
  await leave('b');
  expect(entered).toEqual(['a', 'b', 'c']);
  await leave('a');
  expect(entered).toEqual(['a', 'b', 'c', 'd']);
});

test('a place that is given back twice is one place', async () => {
  const { come, leave, entered } = callers(1);
  await come('a');
  await leave('a');
  await leave('a');
  for (const name of ['b', 'c']) await come(name);
  expect(entered).toEqual(['a', 'b']);
  await leave('a');
  expect(entered).toEqual(['a', 'b']);
});

test('who leaves the queue by an abort takes no place, and keeps nobody from one', async () => {
  const { come, leave, entered } = callers(1);
  const stop = new AbortController();
  await come('a');
  await come('b', stop.signal);
  await come('c');
  stop.abort(new Error('enough'));
  await idle();
  expect(entered).toEqual(['a', 'b: enough']);
  await leave('a');
  expect(entered).toEqual(['a', 'b: enough', 'c']);
  await come('d', AbortSignal.abort(new Error('too late')));
  await leave('c');
  await come('e');
  expect(entered.slice(3)).toEqual(['d: too late', 'e']);
});

test('an abort after the entry changes nothing', async () => {
  const { come, leave, entered } = callers(1);
  const stop = new AbortController();
  await come('a');
  await come('b', stop.signal);
  await leave('a');
  stop.abort(new Error('enough'));
  await come('c');
  expect(entered).toEqual(['a', 'b']);
  await leave('b');
  expect(entered).toEqual(['a', 'b', 'c']);
});

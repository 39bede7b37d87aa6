// At most so many at once, and nobody waits for the others alone.
import { expect, test } from 'vitest';
import { createShares } from '../../../lib/async/shares.ts';
import { idle } from '../../support/scripted-clock.ts';

const never = new AbortController().signal;

/** Callers as `PARTY NUMBER`, noted as they enter; leaving is theirs. */
function callers(places: number) {
  const shares = createShares(places);
  const entered: string[] = [];
  const leave = new Map<string, () => void>();
  return {
    entered,
    leave: async (name: string): Promise<void> => {
      leave.get(name)?.();
      await idle();
    },
    come: async (name: string, signal = never): Promise<void> => {
      void shares.acquire(name.split(' ')[0] ?? '', signal).then(
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

test('promise 8: one party that takes all shared places keeps no other from its first', async () => {
  const { come, leave, entered } = callers(2);
  for (const name of ['a 1', 'a 2', 'a 3', 'a 4']) await come(name);
  expect(entered).toEqual(['a 1', 'a 2', 'a 3']);
  for (const name of ['b 1', 'b 2']) await come(name);
  expect(entered).toEqual(['a 1', 'a 2', 'a 3', 'b 1']);
  await leave('b 1');
  expect(entered.at(-1)).toBe('b 2');
  await leave('a 2');
  expect(entered.at(-1)).toBe('a 4');
});

test('a place is given back once, and who gives up leaves the line', async () => {
  const { come, leave, entered } = callers(0);
  const impatient = new AbortController();
  await come('a 1');
  await come('a 2', impatient.signal);
  await come('a 3');
  impatient.abort(new Error('enough'));
  await leave('a 1');
  await leave('a 1');
  await come('a 4');
  expect(entered).toEqual(['a 1', 'a 2: enough', 'a 3']);
});

import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { withSignals } from '../../../lib/cli/signals.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Work that ends when told to, under a fake process. */
function working() {
  const process = Object.assign(new EventEmitter(), {
    exits: [] as number[],
    exit: (code: number) => void process.exits.push(code),
  });
  const said: string[] = [];
  const { promise, resolve } = Promise.withResolvers<string>();
  let signal: AbortSignal | undefined;
  const done = withSignals(
    (given) => {
      signal = given;
      return promise;
    },
    { process, say: (text) => said.push(text), now: Date.now },
  );
  return { process, said, done, finish: () => resolve('done'), isAborted: () => signal?.aborted === true };
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('the first %s aborts the work and lets it end in order', async (name) => {
  const { process, done, finish, isAborted } = working();
  expect(isAborted()).toBe(false);
  process.emit(name);
  expect(isAborted()).toBe(true);
  finish();
  expect(await done).toBe('done');
  expect(process.exits).toEqual([]);
});

test('a second signal ends the process at once with 128 and its number', () => {
  const { process } = working();
  process.emit('SIGTERM');
  vi.advanceTimersByTime(1000);
  process.emit('SIGINT');
  expect(process.exits).toEqual([130]);
});

test('one Ctrl-C that arrives twice, from the terminal and from npm, is one signal', () => {
  const { process, isAborted } = working();
  process.emit('SIGINT');
  vi.advanceTimersByTime(20);
  process.emit('SIGINT');
  expect(isAborted()).toBe(true);
  expect(process.exits).toEqual([]);
});

test('work that has not ended after 8 seconds is ended with code 1 and a sentence', () => {
  const { process, said } = working();
  process.emit('SIGTERM');
  vi.advanceTimersByTime(7999);
  expect(process.exits).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(process.exits).toEqual([1]);
  expect(said.join('')).toContain('did not end in order within 8 s');
});

test('nothing is left behind once the work has ended', async () => {
  const { process, done, finish } = working();
  process.emit('SIGINT');
  finish();
  await done;
  vi.advanceTimersByTime(60_000);
  expect(process.exits).toEqual([]);
  expect(process.eventNames()).toEqual([]);
});

// Real time, where timers have limits of their own.
import { expect, test } from 'vitest';
import { systemClock } from '../../../lib/async/system-clock.ts';

test('a sleep that is longer than the timers of Node last (24.8 days) does not end at once', async () => {
  const stop = new AbortController();
  const over = new Error('stopped');
  const sleep = systemClock.sleep(2 ** 31 + 1, stop.signal);
  const warned = new Promise((resolve) => process.once('warning', resolve));
  // A timer that is too long becomes one of a millisecond, and Node warns.
  const first = await Promise.race([sleep.then(() => 'slept'), warned, systemClock.sleep(50)]);
  expect(first).toBeUndefined();
  stop.abort(over);
  await expect(sleep).rejects.toBe(over);
});

test('a sleep ends with the reason of its signal, also where it was aborted before', async () => {
  const reason = new Error('enough');
  await expect(systemClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
  const stop = new AbortController();
  const sleep = systemClock.sleep(60_000, stop.signal);
  stop.abort(reason);
  await expect(sleep).rejects.toBe(reason);
});

test('a sleep of no time ends', async () => {
  await systemClock.sleep(0);
  await systemClock.sleep(-5);
});

test('a sleep leaves no listener at a signal that lives long', async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...given: Parameters<typeof add>) => ((listeners += 1), add(...given));
  signal.removeEventListener = (...given: Parameters<typeof remove>) => ((listeners -= 1), remove(...given));
  for (let turn = 0; turn < 5; turn += 1) await systemClock.sleep(0, signal);
  expect(listeners).toBe(0);
});

// A signal that is not lost when nobody waits yet.
import { expect, test } from 'vitest';
import { createWake } from '../../../lib/async/wake.ts';
import { idle } from '../../support/scripted-clock.ts';

const never = new AbortController().signal;

/** Whether a wait is still going on after a turn of the event loop. */
async function lasts(wait: Promise<void>): Promise<boolean> {
  let over = false;
  const end = (): void => {
    over = true;
  };
  wait.then(end, end);
  await idle();
  return !over;
}

test('wakes who waits', async () => {
  const wake = createWake();
  const wait = wake.wait(never);
  expect(await lasts(wait)).toBe(true);
  wake.notify();
  expect(await lasts(wait)).toBe(false);
});

test('keeps a call until somebody waits; many calls count once', async () => {
  const wake = createWake();
  wake.notify();
  wake.notify();
  expect(await lasts(wake.wait(never))).toBe(false);
  expect(await lasts(wake.wait(never))).toBe(true);
});

test('a call that wakes somebody is used up', async () => {
  const wake = createWake();
  const first = wake.wait(never);
  wake.notify();
  await first;
  expect(await lasts(wake.wait(never))).toBe(true);
});

test('an abort ends a wait with its reason, and a later call is kept for the next', async () => {
  const wake = createWake();
  const stop = new AbortController();
  const reason = new Error('enough');
  const wait = wake.wait(stop.signal);
  stop.abort(reason);
  await expect(wait).rejects.toBe(reason);
  wake.notify();
  await expect(wake.wait(AbortSignal.abort(reason))).rejects.toBe(reason);
  expect(await lasts(wake.wait(never))).toBe(false);
});

test('leaves no listener at a signal that lives long', async () => {
  const wake = createWake();
  const stop = new AbortController();
  let listeners = 0;
  const { signal } = stop;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...given: Parameters<typeof add>) => ((listeners += 1), add(...given));
  signal.removeEventListener = (...given: Parameters<typeof remove>) => ((listeners -= 1), remove(...given));
  for (let turn = 0; turn < 100; turn += 1) {
    const wait = wake.wait(signal);
    wake.notify();
    await wait;
  }
  expect(listeners).toBe(0);
});

// A time limit inside another signal.
import { expect, test } from 'vitest';
import { startDeadline } from '../../../lib/async/deadline.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { idle } from '../../support/scripted-clock.ts';

function world() {
  const clock = createManualClock();
  const outer = new AbortController();
  return { clock, outer, deadline: startDeadline(clock, 1000, outer.signal) };
}

test('aborts when the time is over, and not before', async () => {
  const { clock, deadline } = world();
  clock.advance(999);
  await idle();
  expect([deadline.signal.aborted, deadline.expired]).toEqual([false, false]);
  clock.advance(1);
  await idle();
  expect([deadline.signal.aborted, deadline.expired]).toEqual([true, true]);
  expect(deadline.signal.reason).toMatchObject({ message: 'no answer within 1000 ms' });
});

test('aborts with the outer signal and its reason; that is no expiry', () => {
  const { outer, deadline } = world();
  const reason = new Error('enough');
  outer.abort(reason);
  expect([deadline.signal.aborted, deadline.signal.reason, deadline.expired]).toEqual([true, reason, false]);
});

test('a restart begins the time anew, with another limit', async () => {
  const { clock, deadline } = world();
  clock.advance(900);
  deadline.restart(500);
  clock.advance(499);
  await idle();
  expect(deadline.signal.aborted).toBe(false);
  clock.advance(1);
  await idle();
  expect(deadline.signal.reason).toMatchObject({ message: 'no answer within 500 ms' });
});

test('a restart or a stop in the moment at which the time is over comes first', async () => {
  const { clock, deadline } = world();
  clock.advance(1000);
  deadline.restart(1000);
  await idle();
  expect([deadline.signal.aborted, deadline.expired]).toEqual([false, false]);
  clock.advance(1000);
  deadline.stop();
  await idle();
  expect([deadline.signal.aborted, deadline.expired]).toEqual([false, false]);
});

test('once stopped it never aborts', async () => {
  const { clock, deadline } = world();
  deadline.stop();
  clock.advance(1e9);
  await idle();
  expect([deadline.signal.aborted, deadline.expired]).toEqual([false, false]);
});

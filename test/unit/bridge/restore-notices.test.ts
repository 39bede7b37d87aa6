// A cluster is restored as a whole: who hears of it.
import { describe, expect, test } from 'vitest';
import { createRestoreNotices } from '../../../lib/bridge/restore-notices.ts';

describe('promise 10: a restore that one stream notices', () => {
  test('reaches the other streams of the cluster, and not the one that noticed it', () => {
    const notices = createRestoreNotices();
    const [first, second, third] = [notices.join(), notices.join(), notices.join()];
    first.notice();
    expect([first, second, third].map(({ signal }) => signal.aborted)).toEqual([false, true, true]);
  });

  test('does not reach a stream that left, as one that compares anew already', () => {
    const notices = createRestoreNotices();
    const [first, second] = [notices.join(), notices.join()];
    second.leave();
    first.notice();
    expect(second.signal.aborted).toBe(false);
  });

  test('reaches a stream that was compared anew after an earlier one', () => {
    const notices = createRestoreNotices();
    const [first, second] = [notices.join(), notices.join()];
    second.leave();
    second.comeBack();
    first.notice();
    expect(second.signal.aborted).toBe(true);
  });

  test('is not told again by a stream that was told of it and notices it, too', () => {
    const notices = createRestoreNotices();
    const [first, second] = [notices.join(), notices.join()];
    first.notice();
    first.comeBack();
    second.notice();
    expect(first.signal.aborted).toBe(false);
  });

  test('does not come back to a stream that noticed it before another did', () => {
    const notices = createRestoreNotices();
    const [first, second] = [notices.join(), notices.join()];
    first.notice();
    second.notice();
    expect(first.signal.aborted).toBe(false);
  });
});

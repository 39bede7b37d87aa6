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

  test('does not come back to a stream that noticed it before another did', () => {
    const notices = createRestoreNotices();
    const [first, second] = [notices.join(), notices.join()];
    first.notice();
    second.notice();
    expect(first.signal.aborted).toBe(false);
  });
});

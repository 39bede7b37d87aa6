// A cluster is restored as a whole: who hears of it.
import { describe, expect, test } from 'vitest';
import { createRestoreNotices, type RestoreMember } from '../../../lib/bridge/restore-notices.ts';
import { streamKey } from '../../../lib/model/stream.ts';
import { testStream } from '../../support/changes.ts';

const [widgets, gadgets, routes] = ['widgets', 'gadgets', 'routes'].map((plural) => streamKey(testStream(plural))) as [
  ReturnType<typeof streamKey>,
  ReturnType<typeof streamKey>,
  ReturnType<typeof streamKey>,
];

interface Watched {
  readonly member: RestoreMember;
  readonly signal: AbortSignal;
}

/** Two streams that are watched, in epoch 1. */
function pair(): readonly [Watched, Watched] {
  const notices = createRestoreNotices();
  const watched = (stream: typeof widgets): Watched => {
    const member = notices.join(stream);
    member.seen(1);
    return { member, signal: member.listen() };
  };
  return [watched(widgets), watched(gadgets)];
}

describe('promise 10: a restore that one stream notices', () => {
  test('reaches the others of the cluster, and does not end the watch of the one that noticed it', () => {
    const both = pair();
    both[0].member.notice();
    expect(both.map(({ signal }) => signal.aborted)).toEqual([false, true]);
    expect(both.map(({ member }) => member.told)).toEqual([true, true]);
  });

  test('is told until the next epoch has begun, by whomever', () => {
    const [{ member: first }, { member: second }] = pair();
    first.notice();
    second.seen(1);
    expect(second.told).toBe(true);
    second.seen(2);
    expect([first.told, second.told]).toEqual([true, false]);
  });

  test('waits for a stream that is not watched just now, and not for one that left', () => {
    const notices = createRestoreNotices();
    const [first, idle, left] = [notices.join(widgets), notices.join(gadgets), notices.join(routes)];
    left.leave();
    first.notice();
    expect([idle.told, left.told]).toEqual([true, false]);
  });

  test('means nothing to a stream of which nothing is recorded', () => {
    const notices = createRestoreNotices();
    const [first, second] = [notices.join(widgets), notices.join(gadgets)];
    first.notice();
    second.seen(0);
    expect(second.told).toBe(false);
  });

  test('reaches a stream that began an epoch after an earlier one', () => {
    const [{ member: first }, { member: second }] = pair();
    first.notice();
    for (const member of [first, second]) member.seen(2);
    const signal = second.listen();
    first.notice();
    expect(signal.aborted).toBe(true);
  });

  test('is not told again by a stream that was told of it and notices it, too', () => {
    const [{ member: first }, { member: second }] = pair();
    first.notice();
    first.seen(2);
    const signal = first.listen();
    second.notice();
    expect(signal.aborted).toBe(false);
  });

  test('waits for a stream that is not followed just now, and not for one that has acted on it', () => {
    const notices = createRestoreNotices();
    const first = notices.join(widgets);
    first.seen(1);
    first.notice();
    first.seen(2);
    first.leave();
    expect([notices.join(gadgets).told, notices.join(widgets).told]).toEqual([true, false]);
  });
});

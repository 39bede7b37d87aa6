// The rules by which a stream has one owner, whatever the store.
import { describe, expect, test } from 'vitest';
import { movedBy, mustBeOwner, mustMoveOn } from '../../../lib/history/fencing.ts';
import type { Checkpoint } from '../../../lib/model/checkpoint.ts';
import { resourceVersion } from '../../../lib/model/resource-version.ts';
import { streamKey } from '../../../lib/model/stream.ts';
import { testStream } from '../../support/changes.ts';

const stream = streamKey(testStream());
const rv = resourceVersion;

describe('promise 6: who may append', () => {
  test.each([
    ['the owner', { fence: 3, epoch: 2 }],
    ['the next owner', { fence: 4, epoch: 2 }],
    ['who begins an epoch', { fence: 3, epoch: 3 }],
  ])('%s', (_, batch) => {
    expect(() => mustBeOwner(stream, batch, { fence: 3, epoch: 2 })).not.toThrow();
  });

  test.each([
    ['a displaced owner', { fence: 2, epoch: 2 }, 'another process took it over (fence 3, ours is 2)'],
    ['who missed an epoch', { fence: 3, epoch: 1 }, 'another process began its epoch 2, ours is 1'],
  ])('not %s', (_, batch, why) => {
    expect(() => mustBeOwner(stream, batch, { fence: 3, epoch: 2 })).toThrow(
      expect.objectContaining({
        code: 'fenced',
        message: `Cannot record changes of stream "${stream}": ${why}. Its new owner goes on; this one must stop`,
      }),
    );
  });
});

describe('how far a batch moves a stream', () => {
  test.each([
    ['forward', { epoch: 1, resourceVersion: rv('12') }, '12'],
    ['not back, as a batch that comes late would', { epoch: 1, resourceVersion: rv('8') }, '9'],
    ['not where it says nothing', { epoch: 1 }, '9'],
    ['to the beginning of an epoch, which may be lower', { epoch: 2, resourceVersion: rv('3') }, '3'],
    ['to nowhere in an epoch that has no position yet', { epoch: 2 }, undefined],
  ])('%s', (_, batch, reached) => {
    const seen = { epoch: 1, resourceVersion: rv('9') };
    expect(movedBy({ fence: 5, ...batch }, seen)).toEqual({ fence: 5, epoch: batch.epoch, resourceVersion: reached });
  });
});

describe('promise 6: who may move the checkpoint', () => {
  const before: Checkpoint = { epoch: 1, published: 4, fence: 2, updatedAt: 0, resourceVersion: rv('9') };
  const next: Checkpoint = { ...before, published: 5, fence: 2 };

  test('who saw the one that is there, whenever that was written, and the first where there is none', () => {
    const seen = { fence: 2, checkpoint: { ...before, updatedAt: 99 } };
    expect(() => mustMoveOn(stream, before, next, seen)).not.toThrow();
    expect(() => mustMoveOn(stream, undefined, next, { fence: 2, checkpoint: undefined })).not.toThrow();
  });

  test.each([
    ['a displaced owner', { fence: 3, checkpoint: before }, 'another process took it over (fence 3, ours is 2)'],
    ...[{ published: 5 }, { epoch: 2 }, { fence: 1 }, { resourceVersion: rv('10') }].map((moved) => {
      const checkpoint = { ...before, ...moved };
      const to = `epoch ${checkpoint.epoch}, sequence ${checkpoint.published}`;
      const why = `it was moved by another process (to ${to}, ours was epoch 1, sequence 4)`;
      return [`who did not see ${JSON.stringify(moved)}`, { fence: 2, checkpoint }, why] as const;
    }),
    [
      'who saw one that is gone',
      { fence: 2, checkpoint: undefined },
      'it was moved by another process (to none, ours was epoch 1, sequence 4)',
    ],
  ] as const)('not %s', (_, seen, why) => {
    expect(() => mustMoveOn(stream, before, next, seen)).toThrow(
      expect.objectContaining({
        code: 'fenced',
        message: `Cannot move the checkpoint of stream "${stream}": ${why}. Its new owner goes on; this one must stop`,
      }),
    );
  });
});

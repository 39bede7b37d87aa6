// What every CheckpointStore must do.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Checkpoint } from '../../lib/model/checkpoint.ts';
import { resourceVersion } from '../../lib/model/resource-version.ts';
import type { CheckpointStore } from '../../lib/ports/checkpoint-store.ts';
import type { RevisionLog } from '../../lib/ports/revision-log.ts';
import { change, testStream } from '../support/changes.ts';

interface Subject {
  readonly checkpoints: CheckpointStore;
  /** The log of the same store: it sees the same fences. */
  readonly log: RevisionLog;
  close(): Promise<void>;
}

const stream = testStream();

function checkpoint(published: number, options: Partial<Checkpoint> = {}): Checkpoint {
  return { epoch: 1, published, fence: 1, updatedAt: 1000, resourceVersion: resourceVersion('10'), ...options };
}

export function describeCheckpointStore(name: string, make: () => Promise<Subject>): void {
  describe(`CheckpointStore: ${name}`, () => {
    let subject: Subject;
    let store: CheckpointStore;
    beforeEach(async () => {
      subject = await make();
      store = subject.checkpoints;
    });
    afterEach(() => subject.close());

    test('there is none at first, and the first must say so', async () => {
      expect(await store.get(stream)).toBeUndefined();
      const attempt = store.compareAndSet(stream, checkpoint(1), checkpoint(2));
      await expect(attempt).rejects.toMatchObject({ code: 'fenced' });
      await store.compareAndSet(stream, undefined, checkpoint(1));
      expect(await store.get(stream)).toEqual(checkpoint(1));
      await expect(store.compareAndSet(stream, undefined, checkpoint(2))).rejects.toMatchObject({ code: 'fenced' });
    });

    test('it comes back as written, with and without a resourceVersion', async () => {
      const { resourceVersion: _, ...without } = checkpoint(0);
      await store.compareAndSet(stream, undefined, without);
      expect(await store.get(stream)).toEqual(without);
      const full = checkpoint(7, {
        epoch: 3,
        fence: 4,
        updatedAt: 5,
        resourceVersion: resourceVersion('9'.repeat(30)),
      });
      await store.compareAndSet(stream, without, full);
      expect(await store.get(stream)).toEqual(full);
    });

    test.each([
      ['published', { published: 2 }],
      ['epoch', { epoch: 2 }],
      ['resourceVersion', { resourceVersion: resourceVersion('11') }],
      ['fence', { fence: 0 }],
    ])('promise 4: it does not move when the stored %s is another than expected', async (_, difference) => {
      await store.compareAndSet(stream, undefined, checkpoint(1));
      const attempt = store.compareAndSet(stream, checkpoint(1, difference), checkpoint(3));
      await expect(attempt).rejects.toMatchObject({ code: 'fenced' });
      expect(await store.get(stream)).toEqual(checkpoint(1));
    });

    test('the time of writing is not compared', async () => {
      await store.compareAndSet(stream, undefined, checkpoint(1));
      await store.compareAndSet(stream, checkpoint(1, { updatedAt: 77 }), checkpoint(2));
      expect(await store.get(stream)).toEqual(checkpoint(2));
    });

    test('promise 6: a displaced owner is refused, also where only the log has seen the new owner', async () => {
      await store.compareAndSet(stream, undefined, checkpoint(1));
      await subject.log.append(stream, { fence: 2, epoch: 1, changes: [change('a', 1)] });
      const late = store.compareAndSet(stream, checkpoint(1), checkpoint(2));
      await expect(late).rejects.toMatchObject({ code: 'fenced' });
      await store.compareAndSet(stream, checkpoint(1), checkpoint(2, { fence: 2 }));
      expect(await store.get(stream)).toEqual(checkpoint(2, { fence: 2 }));
    });

    test('promise 6: the log refuses an owner that only the checkpoint knows to be displaced', async () => {
      await store.compareAndSet(stream, undefined, checkpoint(0, { fence: 5 }));
      const late = subject.log.append(stream, { fence: 4, epoch: 1, changes: [change('a', 1)] });
      await expect(late).rejects.toMatchObject({ code: 'fenced' });
    });

    test('streams have their own', async () => {
      await store.compareAndSet(stream, undefined, checkpoint(1));
      expect(await store.get(testStream('gadgets'))).toBeUndefined();
      expect(await store.get({ ...stream, selector: { namespace: 'ns' } })).toBeUndefined();
    });
  });
}

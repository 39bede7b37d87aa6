// What every EventSink must do.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { changeId } from '../../lib/model/revision.ts';
import type { EventSink } from '../../lib/ports/event-sink.ts';
import type { FeedEvent } from '../support/materialise.ts';
import { widgetRevision } from '../support/sink-revision.ts';

export interface SinkSubject {
  readonly sink: EventSink;
  /** What has arrived at the other end so far, in order. */
  received(): readonly FeedEvent[];
  close(): Promise<void>;
}

const never = new AbortController().signal;

export function describeEventSink(name: string, make: () => Promise<SinkSubject>): void {
  describe(`EventSink: ${name}`, () => {
    let subject: SinkSubject;
    beforeEach(async () => {
      subject = await make();
    });
    afterEach(() => subject.close());

    test('promise 2: changes of an object arrive in order, and all have arrived when publish resolves', async () => {
      const names = ['a', 'b', 'c', 'd'];
      const batch = Array.from({ length: 60 }, (_, n) => widgetRevision(n + 1, names[(n * n + 3) % 4] ?? ''));
      await subject.sink.publish(batch.slice(0, 30), never);
      expect(subject.received()).toHaveLength(30);
      await subject.sink.publish(batch.slice(30), never);
      for (const name of names) {
        const sent = batch.filter((revision) => revision.name === name).map((revision) => revision.resourceVersion);
        const arrived = subject.received().filter((event) => event.name === name);
        expect(arrived.map((event) => event.resourceversion)).toEqual(sent);
      }
    });

    test('promise 5: a batch that is published again has the same ids', async () => {
      const batch = [widgetRevision(1, 'a'), widgetRevision(2, 'a', { type: 'delete' })];
      await subject.sink.publish(batch, never);
      await subject.sink.publish(batch, never);
      const ids = batch.map((revision) =>
        changeId(revision.stream.cluster, 1, 'uid-of-a', revision.resourceVersion, revision.type),
      );
      expect(subject.received().map(({ id }) => id)).toEqual([...ids, ...ids]);
    });

    test('odd names and contents arrive as they are', async () => {
      const object = { metadata: { name: 'ö' }, text: 'a\u2028b "c" \\ 😀 \u0000\n', large: 'x'.repeat(1_500_000) };
      await subject.sink.publish([widgetRevision(1, 'ö 😀 100%', { object: JSON.stringify(object) })], never);
      expect(subject.received()).toMatchObject([{ name: 'ö 😀 100%', data: object }]);
    });

    test('an empty batch is acknowledged at once', async () => {
      await subject.sink.publish([], never);
      expect(subject.received()).toEqual([]);
    });

    test('nothing is sent once the signal has aborted', async () => {
      const reason = new Error('stopping');
      await expect(subject.sink.publish([widgetRevision(1, 'a')], AbortSignal.abort(reason))).rejects.toBe(reason);
      expect(subject.received()).toEqual([]);
    });
  });
}

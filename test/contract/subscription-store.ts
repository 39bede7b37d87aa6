// What every SubscriptionStore must do.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SubscriptionStore } from '../../lib/ports/feed.ts';
import type { ManualClock } from '../support/manual-clock.ts';

interface Subject {
  readonly subscriptions: SubscriptionStore;
  readonly clock: ManualClock;
  close(): Promise<void>;
}

export function describeSubscriptionStore(name: string, make: () => Promise<Subject>): void {
  describe(`SubscriptionStore: ${name}`, () => {
    let subject: Subject;
    let store: SubscriptionStore;
    beforeEach(async () => {
      subject = await make();
      store = subject.subscriptions;
    });
    afterEach(() => subject.close());

    test('an unknown subscription is undefined', async () => {
      expect(await store.get('absent')).toBeUndefined();
      expect(await store.list()).toEqual([]);
    });

    test('promise 4: a cursor is created by its first acknowledgement and then only moves forward', async () => {
      await store.acknowledge('audit', 5);
      subject.clock.advance(1000);
      await store.acknowledge('audit', 9);
      await store.acknowledge('audit', 7);
      expect(await store.get('audit')).toEqual({ name: 'audit', position: 9, updatedAt: subject.clock.now() });
    });

    test('it goes back only when rewound', async () => {
      await store.acknowledge('audit', 9);
      await store.acknowledge('audit', 2, { rewind: true });
      expect(await store.get('audit')).toMatchObject({ position: 2 });
    });

    test('they are listed by name, and forgotten when deleted', async () => {
      await store.acknowledge('b', 1);
      await store.acknowledge('a', 2);
      await store.acknowledge('ü \' "', 3);
      expect((await store.list()).map((row) => [row.name, row.position])).toEqual([
        ['a', 2],
        ['b', 1],
        ['ü \' "', 3],
      ]);
      await store.delete('a');
      await store.delete('absent');
      expect(await store.get('a')).toBeUndefined();
      expect(await store.list()).toHaveLength(2);
    });
  });
}

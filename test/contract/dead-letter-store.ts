// What every DeadLetterStore must do.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DeadLetter, DeadLetterStore } from '../../lib/ports/event-sink.ts';

interface Subject {
  readonly deadLetters: DeadLetterStore;
  close(): Promise<void>;
}

function letter(sequence: number, options: Partial<DeadLetter> = {}): DeadLetter {
  const id = `id-${sequence}`;
  return { sink: 'https://a', stream: 'c/widgets', sequence, id, reason: '400 Bad Request', at: sequence, ...options };
}

export function describeDeadLetterStore(name: string, make: () => Promise<Subject>): void {
  describe(`DeadLetterStore: ${name}`, () => {
    let subject: Subject;
    let store: DeadLetterStore;
    beforeEach(async () => {
      subject = await make();
      store = subject.deadLetters;
    });
    afterEach(() => subject.close());

    test('is empty at first', async () => {
      expect(await store.count()).toBe(0);
      expect(await store.list(10)).toEqual([]);
    });

    test('lists the newest first, as many as asked for', async () => {
      for (const sequence of [2, 1, 3]) await store.put(letter(sequence));
      expect(await store.count()).toBe(3);
      expect(await store.list(2)).toEqual([letter(3), letter(2)]);
    });

    test('promise 5: a change refused again by the same sink is the same letter', async () => {
      await store.put(letter(1));
      await store.put(letter(1, { at: 50, reason: '410 Gone' }));
      await store.put(letter(1, { sink: 'https://b' }));
      expect(await store.count()).toBe(2);
      expect((await store.list(1))[0]).toMatchObject({ reason: '410 Gone' });
    });
  });
}

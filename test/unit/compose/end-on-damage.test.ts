import { expect, test } from 'vitest';
import { endingOnDamage } from '../../../lib/compose/end-on-damage.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';

const damaged = new Mk8sError('Cannot read: it is damaged', { code: 'storage' });

test.each([
  ['damage', damaged, true],
  ['a lock that another process holds for a while', new Mk8sError('busy', { code: 'storage', retryable: true }), false],
  ['a full disk', new Mk8sError('full', { code: 'full', retryable: true }), false],
  ['a displaced owner', new Mk8sError('fenced', { code: 'fenced' }), false],
  ['a mistake of ours', new TypeError('x'), false],
])('%s: the caller hears of it, and the run ends: %s', async (_what, error, ends) => {
  const over = new AbortController();
  const store = endingOnDamage({ append: () => Promise.reject<number>(error) }, over);
  await expect(store.append()).rejects.toBe(error);
  expect([over.signal.aborted, ends ? over.signal.reason : undefined]).toEqual([ends, ends ? error : undefined]);
});

test('what works is passed on, with its arguments', async () => {
  const over = new AbortController();
  const store = endingOnDamage({ size: 3, add: async (a: number, b: number) => a + b }, over);
  expect([store.size, await store.add(1, 2), over.signal.aborted]).toEqual([3, 3, false]);
});

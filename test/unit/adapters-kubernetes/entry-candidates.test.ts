// Entries of one source, of which some are wrong.
import { expect, test } from 'vitest';
import { entryCandidates } from '../../../lib/adapters/kubernetes/entry-candidates.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import type { ClusterCandidate } from '../../../lib/ports/cluster-source.ts';

const named = (name: string) => ({ name }) as ClusterCandidate;

test('promise 8: an entry that is wrong is a problem, and the others are clusters, in their order', async () => {
  const found = entryCandidates('istio', ['a', 'wrong', 'b'], async (entry) => {
    if (entry === 'wrong') throw new Mk8sError('Cannot read "wrong"', { code: 'config' });
    return named(entry);
  });
  expect(await found).toEqual({
    candidates: [named('a'), named('b')],
    problems: [{ source: 'istio', message: 'Cannot read "wrong"' }],
  });
});

test('what is not an error of the entry ends it all', async () => {
  const found = entryCandidates('istio', ['a'], () => Promise.reject(new TypeError('a bug')));
  await expect(found).rejects.toThrow('a bug');
});

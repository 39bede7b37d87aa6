// When a change is news.
import { describe, expect, test } from 'vitest';
import { accepts } from '../../../lib/history/accepts.ts';
import { resourceVersion } from '../../../lib/model/resource-version.ts';
import type { LastState } from '../../../lib/model/revision.ts';
import { change } from '../../support/changes.ts';

const rv = resourceVersion;
const last = (version: string, more: Partial<LastState> = {}): LastState => ({
  namespace: 'ns',
  name: 'a',
  uid: 'uid-a',
  resourceVersion: rv(version),
  asOf: rv(version),
  epoch: 1,
  sequence: 1,
  deleted: false,
  ...more,
});

describe('a change is news', () => {
  test.each<[string, LastState | undefined, ReturnType<typeof change>, number, boolean]>([
    ['of an unknown object', undefined, change('a', 5), 1, true],
    ['where it is newer', last('9'), change('a', 10), 1, true],
    ['not where it is known', last('9'), change('a', 9), 1, false],
    ['not where it is older', last('10'), change('a', 9), 1, false],
    ['where it deletes what lives', last('9'), change('a', 12, { type: 'delete' }), 1, true],
    ['where absence was seen at the last known version', last('9'), change('a', 9, { type: 'delete' }), 1, true],
    [
      'not where it deletes another life at the same version',
      last('9'),
      change('a', 9, { type: 'delete', uid: 'other' }),
      1,
      false,
    ],
    [
      'not where it deletes what is deleted',
      last('9', { deleted: true }),
      change('a', 12, { type: 'delete' }),
      1,
      false,
    ],
    [
      'not where it is from before a tombstone',
      last('9', { deleted: true, asOf: rv('20') }),
      change('a', 12),
      1,
      false,
    ],
    [
      'where it is made anew after a tombstone',
      last('9', { deleted: true, asOf: rv('20') }),
      change('a', 21, { uid: 'new' }),
      1,
      true,
    ],
    ['in another epoch where a comparison found it', last('9'), change('a', 9, { origin: 'relist' }), 2, true],
    ['in another epoch where it is older', last('9'), change('a', 5), 2, true],
    ['not in another epoch where nothing differs', last('9'), change('a', 9), 2, false],
    ['in another epoch where it lives again', last('9', { deleted: true }), change('a', 9), 2, true],
    [
      'not in another epoch where it is deleted already',
      last('9', { deleted: true }),
      change('a', 9, { type: 'delete', origin: 'relist' }),
      2,
      false,
    ],
  ])('%s', (_, known, observed, epoch, expected) => {
    expect(accepts(known, observed, epoch)).toBe(expected);
  });
});

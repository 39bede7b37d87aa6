import { describe, expect, test } from 'vitest';
import { type Known, RecentStates } from '../../../lib/history/recent-states.ts';
import { resourceVersion } from '../../../lib/model/resource-version.ts';
import { compareObjectKeys, type ObjectKey, objectKey } from '../../../lib/model/revision.ts';
import { seededRandom } from '../../support/seeded-random.ts';

function known(name: string, sequence: number, deleted = false): Known {
  const rv = resourceVersion(String(sequence));
  const identity = { namespace: 'a', name, uid: `uid-${name}` };
  return { ...identity, resourceVersion: rv, asOf: rv, epoch: 1, sequence, ordinal: 1, deleted };
}

const keyOf = (n: number): ObjectKey => objectKey('a', `o-${String(n).padStart(5, '0')}`);
const beginning = '' as ObjectKey;

describe('the newest states of a stream', () => {
  test('any range of keys gives its live states in key order, in whatever order and however often they were set', () => {
    const random = seededRandom(11);
    const states = new RecentStates();
    const model = new Map<ObjectKey, Known>();
    for (let sequence = 1; sequence <= 6_000; sequence++) {
      const n = Math.floor(random() * 3_000);
      const state = known(keyOf(n).slice(2), sequence, random() < 0.2);
      states.set(keyOf(n), state);
      model.set(keyOf(n), state);
      if (sequence % 500 !== 0) continue;
      const [after, until] = [random(), random()]
        .toSorted((a, b) => a - b)
        .map((share) => keyOf(Math.floor(share * 3_000)));
      for (const [from, to] of [
        [after, until],
        [beginning, until],
        [after, undefined],
      ] as const) {
        expect(states.liveBetween(from ?? beginning, to)).toEqual(expected(model, from ?? beginning, to));
      }
    }
    expect(states.keys()).toEqual([...model.keys()].sort(compareObjectKeys));
  });

  test('what was dropped is in no range, and what is newer stays', () => {
    const states = new RecentStates();
    for (let n = 0; n < 10; n++) states.set(keyOf(n), known(`o-${n}`, 10 - n));
    expect(states.keys()).toHaveLength(10);
    states.dropThrough(7);
    expect([states.size, states.keys()]).toEqual([3, [keyOf(0), keyOf(1), keyOf(2)]]);
    expect(states.liveBetween(beginning, undefined).map(([key]) => key)).toEqual([keyOf(0), keyOf(1), keyOf(2)]);
    states.clear();
    expect([states.size, states.keys(), states.liveBetween(beginning, undefined)]).toEqual([0, [], []]);
  });
});

function expected(model: ReadonlyMap<ObjectKey, Known>, after: ObjectKey, until: ObjectKey | undefined): unknown {
  return [...model]
    .filter(([, { deleted }]) => !deleted)
    .filter(([key]) => compareObjectKeys(key, after) > 0 && (until === undefined || compareObjectKeys(key, until) <= 0))
    .sort(([a], [b]) => compareObjectKeys(a, b));
}

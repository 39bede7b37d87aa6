// What shares a commit, and what a commit does to its streams before anything is written.
import { expect, test } from 'vitest';
import { draftAll, groupEnd, type Operation, type Prepared } from '../../../lib/adapters/firestore/commits.ts';
import { draftBatch } from '../../../lib/adapters/firestore/draft.ts';
import { unknown } from '../../../lib/adapters/firestore/head.ts';
import { type Owned, ownedBy, settle } from '../../../lib/adapters/firestore/owned.ts';
import { knownFrom, RecentStates } from '../../../lib/history/recent-states.ts';
import { objectKey } from '../../../lib/model/revision.ts';
import type { AppendBatch } from '../../../lib/ports/revision-log.ts';
import { change, testStream } from '../../support/changes.ts';

const MIB = 1024 * 1024;

function owned(plural = 'widgets'): Owned {
  const view = { head: unknown, table: [], recent: new RecentStates(), frames: 0, folded: 0 };
  return ownedBy(0, testStream(plural), { ...view, version: '1' });
}

function prepared(stream: Owned, apply: Operation<unknown>['apply'], known: Prepared['known'] = new Map()): Prepared {
  const operation = { fence: 1, keys: [], bytes: 0, urgent: true, apply };
  const nothing = (): void => undefined;
  return { owned: stream, operation, known, resolve: nothing, reject: nothing, again: nothing };
}

const appending = (batch: Partial<AppendBatch>): Operation<unknown>['apply'] => {
  return (draft, states) => draftBatch(draft, { fence: 1, epoch: 1, changes: [], ...batch }, states);
};

test.each([
  ['nothing', [], 0],
  ['what comes alone, whatever its size', [9 * MIB], 1],
  ['as many as fit into 4 MiB', [MIB, MIB, MIB, MIB, 1], 4],
  ['none after the one that did not fit, in call order', [3 * MIB, 2 * MIB, 1], 1],
  ['at most 400', Array.from({ length: 500 }, () => 1), 400],
])('a commit takes %s', (_, sizes, count) => {
  expect(groupEnd(sizes.map((bytes) => ({ bytes })))).toBe(count);
});

test('an operation sees what those before it in the commit did, what was committed, and what is stored, in that order', () => {
  const stream = owned();
  const key = (name: string) => objectKey('ns', name);
  const state = (name: string, sequence: number) =>
    knownFrom({ ...change(name, sequence), epoch: 1, sequence, ordinal: 1 });
  for (const name of ['a', 'b']) stream.recent.set(key(name), state(name, 5));
  const stored = new Map(['a', 'b', 'c'].map((name) => [key(name), state(name, 3)]));
  let seen: unknown;
  draftAll([
    prepared(stream, appending({ changes: [change('a', 9)] }), stored),
    prepared(
      stream,
      (_, states) => {
        seen = ['a', 'b', 'c', 'd'].map((name) => states.get(key(name))?.resourceVersion);
      },
      stored,
    ),
  ]);
  expect(seen).toEqual(['9', '5', '3', undefined]);
  expect(stream.recent.get(key('a'))?.resourceVersion).toBe('5');
});

test('an operation that is refused leaves the others of the commit as they are', () => {
  const [mine, other] = [owned('widgets'), owned('gadgets')];
  const late = prepared(mine, appending({ fence: 0, changes: [change('late', 1)] }));
  const { drafts, applied, refused } = draftAll([
    prepared(mine, appending({ changes: [change('a', 1)] })),
    late,
    prepared(other, appending({ changes: [change('x', 1)] })),
    prepared(mine, appending({ changes: [change('b', 2)] })),
  ]);
  expect(refused).toMatchObject([{ prepared: late, error: { code: 'fenced' } }]);
  expect(applied).toHaveLength(3);
  const names = [...drafts.values()].map(({ drafted }) => drafted.map(({ entry }) => entry.name));
  expect(names).toEqual([['a', 'b'], ['x']]);
});

test('what is settled is where the last frame of the stream says, and counts its own frames only', () => {
  const stream = owned();
  const { drafts } = draftAll([prepared(stream, appending({ changes: [change('a', 1), change('b', 2)] }))]);
  const draft = drafts.get(stream) ?? expect.fail('no draft');
  const entries = draft.drafted.map(({ entry }) => entry);
  const part = { stream: draft.stream, fence: 1, epoch: 1, sequence: 2, objects: 2 };
  const frame = { writer: 'w', number: 1, objects: [] };
  settle(stream, draft, [
    { ...frame, position: 100, parts: [part], entries: entries.slice(0, 1) },
    { ...frame, position: 102, parts: [part], entries: entries.slice(1) },
    { ...frame, position: 104, parts: [{ ...part, stream: 'another' }], entries: [] },
  ]);
  expect(stream).toMatchObject({ frames: 2, head: { sequence: 2, objects: 2, position: 104 } });
  expect(stream.recent.get(objectKey('ns', 'b'))?.sequence).toBe(2);
});

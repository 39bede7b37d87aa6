// What is shown of streams, where it is not derived from one stage alone.
import { expect, test } from 'vitest';
import { createStatusBoard } from '../../../lib/bridge/status-board.ts';
import { createRecount, trackRecorded } from '../../../lib/bridge/stream-progress.ts';
import { createTally } from '../../../lib/bridge/tally.ts';
import { resourceVersion } from '../../../lib/model/resource-version.ts';
import { change, testStream } from '../../support/changes.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createMemoryStore } from '../../support/memory-store.ts';

test('promise 10: a stream is shown under the name that its cluster has now', () => {
  const board = createStatusBoard();
  board.row(testStream(), 'before').recorded = 3;
  board.row(testStream(), 'after');
  expect(board.snapshot(0)).toMatchObject([{ clusterName: 'after', recorded: 3 }]);
});

test('promise 10: the number of objects is the record’s, also where unknown ones are told of', async () => {
  const { log } = createMemoryStore(createManualClock());
  const row = createStatusBoard().row(testStream(), 'one');
  const changes = [
    change('a', 1, { type: 'add' }),
    change('b', 2, { type: 'add' }),
    change('a', 3, { type: 'delete' }),
    change('never seen alive', 4, { type: 'delete' }),
    change('first seen when it changed', 5),
    change('first seen when it changed', 6, { type: 'delete' }),
  ];
  trackRecorded(row, createTally(), await log.append(testStream(), { fence: 1, epoch: 1, changes }), undefined);
  expect(row.objects).toBe(1);
  expect((await log.position(testStream())).objects).toBe(1);
});

test('promise 10: what pages that were not of one moment made of the number of objects does not last', async () => {
  const { log } = createMemoryStore(createManualClock());
  const row = createStatusBoard().row(testStream(), 'one');
  const recount = createRecount(row, log);
  const changes = [
    change('a', 1, { type: 'add' }),
    change('made anew between two pages', 2, { type: 'add' }),
    change('made anew between two pages', 3, { type: 'delete' }),
    // The watch tells of what came after the first page, its making was before.
    change('made anew between two pages', 4),
  ];
  const bookmark = { kind: 'bookmark', resourceVersion: resourceVersion('5') } as const;
  trackRecorded(row, createTally(), await log.append(testStream(), { fence: 1, epoch: 1, changes }), undefined);
  await recount(bookmark);
  expect(row.objects).toBe(1);
  await recount({ kind: 'page', asOf: resourceVersion('2') });
  await recount(bookmark);
  expect(row.objects).toBe(2);
});

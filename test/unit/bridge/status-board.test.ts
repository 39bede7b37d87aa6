// What is shown of streams, where it is not derived from one stage alone.
import { expect, test } from 'vitest';
import { createStatusBoard } from '../../../lib/bridge/status-board.ts';
import { testStream } from '../../support/changes.ts';

test('promise 10: a stream is shown under the name that its cluster has now', () => {
  const board = createStatusBoard();
  board.row(testStream(), 'before').recorded = 3;
  board.row(testStream(), 'after');
  expect(board.snapshot(0)).toMatchObject([{ clusterName: 'after', recorded: 3 }]);
});

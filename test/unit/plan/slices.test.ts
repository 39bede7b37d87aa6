// What taking turns amounts to, as tables.
import { describe, expect, test } from 'vitest';
import { mostStreams, sliceStreams } from '../../../lib/plan/slices.ts';

describe('streams that share places', () => {
  test.each([
    // streams, places: open, turn, lag (mean, most), catch-up, requests a minute
    [1, 10, 1, undefined, 0, 0, 15, 60 / 450],
    [10, 10, 10, undefined, 0, 0, 15, 600 / 450],
    [11, 10, 10, 16.5, 0.068, 1.5, 30, 40],
    [20, 10, 10, 30, 3.75, 15, 30, 40],
    [40, 10, 10, 60, 16.875, 45, 60, 120],
    [400, 10, 10, 600, 285.1875, 585, 600, 120],
    [40_000, 10, 10, 60_000, 29_985.002, 59_985, 60_000, 120],
    [4, 1, 1, 60, 16.875, 45, 60, 12],
  ])('%i of them over %i places', (streams, places, open, turn, mean, most, catchUp, requests) => {
    const slices = sliceStreams(streams, places, 450);
    expect(slices.open).toBe(open);
    expect(slices.turnSeconds).toBe(turn);
    expect(slices.lagSeconds.mean).toBeCloseTo(mean, 3);
    expect(slices.lagSeconds.most).toBe(most);
    expect(slices.catchUpSeconds).toBe(catchUp);
    expect(slices.requestsPerMinute).toBeCloseTo(requests, 6);
  });

  test('none of them need nothing', () => {
    expect(sliceStreams(0, 10, 450)).toMatchObject({ open: 0, catchUpSeconds: 0, requestsPerMinute: 0 });
  });

  test.each([
    [10, 75, 50],
    [10, 15, 10],
    [1, 74, 4],
  ])('over %i places, with a turn every %i s, can be at most %i', (places, turn, most) => {
    expect(mostStreams(places, turn)).toBe(most);
  });
});

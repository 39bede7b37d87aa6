// How far a checkpoint may go.
import { describe, expect, test } from 'vitest';
import { createAcknowledgements } from '../../../lib/bridge/acknowledgements.ts';
import { resourceVersion } from '../../../lib/model/resource-version.ts';

const rv = resourceVersion;

describe('acknowledgements', () => {
  test('promise 4: reach the resourceVersion of what is acknowledged, and no further', () => {
    const acknowledgements = createAcknowledgements();
    acknowledgements.mark(2, rv('12'));
    acknowledgements.mark(5, rv('15'));
    expect(acknowledgements.reached(1)).toBeUndefined();
    expect(acknowledgements.reached(2)).toBe('12');
    expect(acknowledgements.reached(4)).toBeUndefined();
    expect(acknowledgements.reached(9)).toBe('15');
    expect(acknowledgements.reached(9)).toBeUndefined();
  });

  test('take the newest resourceVersion of one sequence number: bookmarks move it without a change', () => {
    const acknowledgements = createAcknowledgements();
    acknowledgements.mark(0, rv('10'));
    acknowledgements.mark(0, rv('20'));
    expect(acknowledgements.reached(0)).toBe('20');
  });

  test('forget on request', () => {
    const acknowledgements = createAcknowledgements();
    acknowledgements.mark(1, rv('10'));
    acknowledgements.clear();
    expect(acknowledgements.reached(9)).toBeUndefined();
  });

  test('promise 7: stay few while nothing is acknowledged, are never ahead, and reach the last one', () => {
    const acknowledgements = createAcknowledgements();
    for (let sequence = 1; sequence <= 10_000; sequence += 1) acknowledgements.mark(sequence, rv(String(sequence)));
    for (const sequence of [1, 17, 5_000, 9_999]) {
      expect(Number(acknowledgements.reached(sequence) ?? 0)).toBeLessThanOrEqual(sequence);
    }
    expect(acknowledgements.reached(10_000)).toBe('10000');
  });
});

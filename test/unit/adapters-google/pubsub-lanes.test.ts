import { describe, expect, test } from 'vitest';
import { chunks, LANES, laneKeys, REQUEST } from '../../../lib/adapters/google/pubsub-lanes.ts';
import { widgetRevision } from '../../support/sink-revision.ts';

describe('lanes', () => {
  test('promise 2: an object is in one lane, whatever happens to it, in every process', () => {
    const key = laneKeys(LANES);
    const web = key(widgetRevision(1, 'web'));
    expect(key(widgetRevision(99, 'web', { type: 'delete' }))).toBe(web);
    expect(laneKeys(LANES)(widgetRevision(2, 'web'))).toBe(web);
    // Fixed: another version of mk8s must not put it elsewhere.
    expect(web).toBe('3f55d0c3e0cef258-3');
  });

  test('share the objects of a stream evenly, and no two streams have one in common', () => {
    const key = laneKeys(LANES);
    const count = 4_000;
    const lanes = Map.groupBy(
      Array.from({ length: count }, (_, n) => widgetRevision(n, `widget-${n}`)),
      key,
    );
    expect(lanes.size).toBe(LANES);
    for (const lane of lanes.values()) {
      expect(lane.length / (count / LANES)).toBeGreaterThan(0.7);
      expect(lane.length / (count / LANES)).toBeLessThan(1.3);
    }
    const other = widgetRevision(1, 'web');
    const namespaced = { ...other, stream: { ...other.stream, selector: { labelSelector: 'x'.repeat(2_000) } } };
    expect(lanes.has(key(namespaced))).toBe(false);
    expect(key(namespaced).length).toBeLessThan(64);
  });
});

describe('the requests of a lane', () => {
  test('hold at most 1,000 messages and 9 MiB, in order, a larger message alone', () => {
    const many = Array.from({ length: 2_500 }, (_, n) => widgetRevision(n + 1, 'web'));
    expect(Array.from(chunks(many), ({ messages }) => messages.length)).toEqual([1_000, 1_000, 500]);
    expect(Array.from(chunks(many)).flatMap(({ sequences }) => sequences)).toEqual(
      many.map(({ sequence }) => sequence),
    );
    const sizes = [4, 4, 4, 9.8, 1].map((megabytes, n) =>
      widgetRevision(n + 1, 'web', { object: JSON.stringify('x'.repeat(megabytes * 1_000_000)) }),
    );
    const cut = Array.from(chunks(sizes));
    expect(cut.map(({ sequences }) => sequences)).toEqual([[1, 2], [3], [4], [5]]);
    for (const { bytes, messages } of cut) if (messages.length > 1) expect(bytes).toBeLessThanOrEqual(REQUEST.bytes);
    expect(Array.from(chunks([]))).toEqual([]);
  });
});

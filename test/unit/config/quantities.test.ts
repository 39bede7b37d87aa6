import { describe, expect, test } from 'vitest';
import { parseByteSize } from '../../../lib/config/byte-size.ts';
import { parseDuration } from '../../../lib/config/duration.ts';
import { nearest } from '../../../lib/config/nearest.ts';

describe('durations', () => {
  test.each([
    ['90s', 90_000],
    ['55m', 3_300_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['1.5h', 5_400_000],
    ['2w', 1_209_600_000],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(['', '5', 's', '5 m', '-5m', '5y', '1h30', '99999999999999w'])('"%s" is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('sizes', () => {
  test.each([
    ['64MiB', 67_108_864],
    ['64Mi', 67_108_864],
    ['1.5GB', 1_500_000_000],
    ['65536', 65_536],
    ['10k', 10_000],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes);
  });

  test.each(['', 'MiB', '-1', '1XB', '1MM', '1e3'])('"%s" is none', (text) => {
    expect(parseByteSize(text)).toBeUndefined();
  });
});

describe('the nearest word', () => {
  test('is one that was meant', () => {
    expect(nearest('resource', ['data', 'resources', 'source'])).toBe('resources');
    expect(nearest('LABELSELECTOR', ['labelSelector'])).toBe('labelSelector');
  });

  test('is none where nothing is near', () => {
    expect(nearest('colour', ['data', 'mode'])).toBeUndefined();
  });
});

import { expect, test } from 'vitest';
import { FrequentStrings } from '../../../lib/decode/frequent-strings.ts';
import { seededRandom } from '../../support/seeded-random.ts';

test('a string that takes the place of another is never taken for it', () => {
  const strings = new FrequentStrings();
  const random = seededRandom(1);
  const prefix = (): string =>
    Array.from({ length: 6 }, () => String.fromCharCode(35 + Math.floor(random() * 90))).join('');
  for (let n = 0; n < 4000; n++) {
    const start = prefix();
    // The bytes of the second are the characters of the first, and some of the thousands share a place.
    for (const text of [`${start}Ã©`, `${start}é`, `${start}ab`, `${start}cb`]) {
      const json = Buffer.from(JSON.stringify(text));
      expect(strings.read(json, 0, json.length)).toBe(text);
    }
  }
});

test('a string that is repeated is the same', () => {
  const strings = new FrequentStrings();
  const json = Buffer.from('"gateway.networking.k8s.io/v1"');
  const first = strings.read(json, 0, json.length);
  expect(strings.read(Buffer.from(json), 0, json.length)).toBe(first);
  expect(strings.read(Buffer.from('""'), 0, 2)).toBe('');
});

import { expect, test } from 'vitest';
import { StringReader } from '../../../lib/decode/string-reader.ts';
import { seededRandom } from '../../support/seeded-random.ts';

test('a string that takes the place of another is never taken for it', () => {
  const strings = new StringReader();
  const random = seededRandom(1);
  const prefix = (): string =>
    Array.from({ length: 6 }, () => String.fromCharCode(35 + Math.floor(random() * 90))).join('');
  for (let n = 0; n < 4000; n++) {
    const start = prefix();
    // The bytes of the second are the characters of the first, and some of the thousands share a place.
    for (const text of [`${start}Ã©`, `${start}é`, `${start}ab`, `${start}cb`]) {
      const json = Buffer.from(JSON.stringify(text));
      expect(strings.readFrequent(json, 0, json.length)).toBe(text);
    }
  }
});

test('a string that is repeated is the same', () => {
  const strings = new StringReader();
  const json = Buffer.from('"gateway.networking.k8s.io/v1"');
  const first = strings.readFrequent(json, 0, json.length);
  expect(strings.readFrequent(Buffer.from(json), 0, json.length)).toBe(first);
  expect(strings.readFrequent(Buffer.from('""'), 0, 2)).toBe('');
});

import { expect, test } from 'vitest';
import { compareObjectKeys, objectKey } from '../../../lib/model/revision.ts';
import { pick, seededRandom } from '../../support/seeded-random.ts';

test('keys compare as their UTF-8 bytes do, whatever characters they have', () => {
  const random = seededRandom(3);
  const characters = [
    'a',
    'b',
    '-',
    '.',
    '/',
    'ÿ',
    'Ā',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '\u{10000}',
    '\u{1f600}',
    '\u{10ffff}',
  ];
  const text = (): string => Array.from({ length: Math.floor(random() * 4) }, () => pick(random, characters)).join('');
  for (let n = 0; n < 20_000; n++) {
    const [a, b] = [objectKey(text(), text()), objectKey(text(), text())];
    const order = Buffer.compare(Buffer.from(a), Buffer.from(b));
    expect(Math.sign(compareObjectKeys(a, b)), JSON.stringify([a, b])).toBe(order);
  }
});

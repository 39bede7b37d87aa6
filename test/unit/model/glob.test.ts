import { expect, test } from 'vitest';
import { glob } from '../../../lib/model/glob.ts';

test.each([
  ['abc', 'abc', true],
  ['abc', 'abcd', false],
  ['', '', true],
  ['*', '', true],
  ['*', 'a.b/c\nd', true],
  ['*.io', '.io', true],
  ['*.io', 'x.iox', false],
  ['a*', 'ba', false],
  ['a*b', 'ab', true],
  ['ab*ba', 'aba', false],
  ['a*bc*bc', 'a-bc', false],
  ['a*bc*bc', 'abcbc', true],
  ['**x**', 'axb', true],
  ['a.c', 'abc', false],
])('"%s" takes "%s": %s', (pattern, text, taken) => {
  expect(glob(pattern)(text)).toBe(taken);
});

test('many stars take no longer than few', () => {
  expect(glob(`${'a*'.repeat(40)}b`)('a'.repeat(250))).toBe(false);
});

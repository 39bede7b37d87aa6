import { expect, test } from 'vitest';
import { decodeContinue, encodeContinue } from '../../../lib/sandbox/continue-token.ts';
import { parseLabelSelector } from '../../../lib/sandbox/selectors.ts';

const labels = { app: 'cart', tier: 'gold', size: '3' };

test.each([
  ['', true],
  ['app=cart', true],
  ['app==cart,tier!=silver', true],
  ['app!=cart', false],
  ['nope!=x', true],
  ['app', true],
  ['!app', false],
  ['!nope', true],
  ['tier in (gold, silver)', true],
  ['tier notin (gold)', false],
  ['nope notin (gold)', true],
  ['nope in (gold)', false],
  ['size>2,size<4', true],
  ['size > 3', false],
  ['app=', false],
])('the selector "%s" matches: %s', (selector, expected) => {
  expect(parseLabelSelector(selector).every((matches) => matches(labels))).toBe(expected);
});

test.each(['==', 'a=b,', 'a in gold', 'a b', 'a in (b'])('the selector "%s" is refused', (selector) => {
  expect(() => parseLabelSelector(selector)).toThrow(/found '/);
});

test('a continue token has the form of a real server, with and without a resourceVersion', () => {
  const token = 'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6Mjc5LCJzdGFydCI6Ii90ZWFtLWIvdy0wMVx1MDAwMCJ9';
  expect(encodeContinue({ revision: 279, after: 'team-b/w-01' })).toBe(token);
  expect(decodeContinue(token)).toEqual({ revision: 279, after: 'team-b/w-01' });
  const fresh = 'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoidGVhbS1iL3ctMDFcdTAwMDAifQ';
  expect(encodeContinue({ revision: -1, after: 'team-b/w-01' })).toBe(fresh);
  expect(() => decodeContinue('garbage')).toThrow(/invalid continue token/);
});

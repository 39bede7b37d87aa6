import { expect, test } from 'vitest';
import { shrink } from './shrink.ts';

test('an input that fails is made smaller, and its bytes plain', async () => {
  const smallest = await shrink(Buffer.from('some text with a Z in it'), async (input) => input.includes('Z'));
  expect(smallest.toString()).toBe('Z');
});

test('a large input is given up after so many bytes, a small one after so many tries', async () => {
  const tries = { large: 0, small: 0 };
  await shrink(Buffer.alloc(8 * 1024 * 1024, 'b'), async () => {
    tries.large += 1;
    return false;
  });
  await shrink(Buffer.alloc(8 * 1024, 'b'), async () => {
    tries.small += 1;
    return false;
  });
  expect(tries.large).toBeLessThanOrEqual(160);
  expect(tries.small).toBe(3_000);
});

// The listed breaks are found by text in the code: a list that fell behind the code would prove nothing.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bridgeMutations } from './bridge-mutations.ts';
import { mutate } from './mutation.ts';
import { watchMutations } from './watch-mutations.ts';

const root = join(import.meta.dirname, '../..');
const all = [...watchMutations, ...bridgeMutations];

describe('the listed breaks of the production code', () => {
  test.each(all.map((mutation) => ({ mutation, name: mutation.name })))(
    '$name: still fits the code',
    ({ mutation }) => {
      const text = readFileSync(join(root, mutation.file), 'utf8');
      expect(mutate(text, mutation)).not.toBe(text);
    },
  );

  test('have names of their own', () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  });
});

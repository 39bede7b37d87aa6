// docs/promises.md: each promise of the design has tests that carry its number.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const folder = resolve(import.meta.dirname, '../..');
const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.includes('structure'))
  .flatMap((file) => readFileSync(join(folder, file), 'utf8').match(/['"`]promises? [\d, ]+/g) ?? []);
const numbers = new Set(names.flatMap((name) => name.match(/\d+/g) ?? []));

test('each promise has tests that carry its number', () => {
  expect(Array.from({ length: 10 }, (_, index) => String(index + 1)).filter((number) => !numbers.has(number))).toEqual(
    [],
  );
});

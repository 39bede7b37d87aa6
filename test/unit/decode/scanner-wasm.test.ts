import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { GENERATED, generateScanner } from '../../../tools/scanner/build.ts';

test('the committed scanner is what its source compiles to', async () => {
  expect(readFileSync(GENERATED, 'utf8')).toBe(await generateScanner());
}, 60_000);

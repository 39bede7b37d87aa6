// The bound is a property of a whole process, so each case runs in one of its own.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const MIB = 2 ** 20;
const subject = join(import.meta.dirname, '../../../lib/compose/young-generation.ts');

/** Allocates so that much survives many collections; prints the largest size of both semi-spaces. */
const load = `
  import { getHeapSpaceStatistics } from 'node:v8';
  const young = () => getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space').space_size;
  let kept = [];
  let most = 0;
  for (let round = 0; round < 300; round++) {
    for (let n = 0; n < 3_000; n++) kept.push({ n, more: [n] });
    if (kept.length > 30_000) kept = kept.slice(15_000);
    most = Math.max(most, young());
    await new Promise((resolve) => setImmediate(resolve));
  }
  console.log(most);`;

async function youngUnderLoad(before: string): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', before + load]);
  return Number(stdout);
}

test('promise 7: the young generation of a run grows to 4 MiB a semi-space and stays there under load', async () => {
  const bound = `import { boundYoungGeneration } from ${JSON.stringify(subject)};boundYoungGeneration();boundYoungGeneration();`;
  expect(await youngUnderLoad(bound)).toBeLessThanOrEqual(8 * MIB);
});

test('without the bound, the same load makes it larger', async () => {
  expect(await youngUnderLoad('')).toBeGreaterThan(8 * MIB);
});

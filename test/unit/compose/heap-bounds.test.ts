// The bounds are properties of a whole process, so each case runs in one of its own.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const MIB = 2 ** 20;
const subject = join(import.meta.dirname, '../../../lib/compose/heap-bounds.ts');
const bound = `import { boundHeap } from ${JSON.stringify(subject)};boundHeap();boundHeap();`;

/** Allocates so that much survives many collections; prints the largest sizes of both semi-spaces and of the old generation. */
const load = `
  import { getHeapSpaceStatistics } from 'node:v8';
  const size = (space, of) => getHeapSpaceStatistics().find(({ space_name: name }) => name === space)[of];
  let kept = [];
  const most = { young: 0, old: 0 };
  for (let round = 0; round < 300; round++) {
    for (let n = 0; n < 3_000; n++) kept.push({ n, more: [n] });
    if (kept.length > 30_000) kept = kept.slice(15_000);
    most.young = Math.max(most.young, size('new_space', 'space_size'));
    most.old = Math.max(most.old, size('old_space', 'space_used_size'));
    await new Promise((resolve) => setImmediate(resolve));
  }
  console.log(JSON.stringify(most));`;

interface Sizes {
  readonly young: number;
  readonly old: number;
}

/** The least of three processes: what V8 makes of a load depends on when its other threads get a processor. */
async function underLoad(before: string, flags: readonly string[] = []): Promise<Sizes> {
  const all: Sizes[] = [];
  for (let n = 0; n < 3; n++) {
    const args = [...flags, '--input-type=module', '-e', before + load];
    all.push(JSON.parse((await promisify(execFile)(process.execPath, args)).stdout) as Sizes);
  }
  return { young: Math.min(...all.map(({ young }) => young)), old: Math.min(...all.map(({ old }) => old)) };
}

test('promise 7: the young generation of a run grows to 4 MiB a semi-space and stays there under load', async () => {
  // Half as much again is room for a growth that began before the bound was heard of.
  expect((await underLoad(bound)).young).toBeLessThanOrEqual(12 * MIB);
  // Else the load would show nothing.
  expect((await underLoad('')).young).toBeGreaterThan(16 * MIB);
});

test('promise 7: the old generation of a run is collected earlier than V8 would on its own', async () => {
  const [ours, left] = [await underLoad(bound), await underLoad('', ['--max-semi-space-size=4'])];
  expect(ours.old).toBeLessThan(left.old);
});

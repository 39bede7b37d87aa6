// A few rounds of `npm run crash` on the sandbox, and that the command leaves nothing behind where it is interrupted.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type RunningProcess, startProcess } from '../support/process.ts';
import { testSeed } from '../support/seeded-random.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const program = join(import.meta.dirname, '../crash/main.ts');

/** Works in `folder` and nowhere else. */
function startCrash(folder: string, rounds: number, acts: string): RunningProcess {
  const flags = ['--servers', 'sandbox', '--clusters', '2', '--rounds', String(rounds), '--acts', acts];
  const env = { TMPDIR: folder };
  return startProcess(process.execPath, [program, ...flags, '--seed', String(testSeed())], { env });
}

/** Command lines of processes that work in this folder, as Linux shows them. */
async function workingIn(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  // One that has just ended is not there any more.
  const lines = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(lines)).filter((line) => line.includes(folder));
}

test('promises 1 to 6, 9, 10: kill -9 of bridge, tail and server, a full disk and a restore break none of them', async () => {
  await using folder = await temporaryFolder();
  await using crash = startCrash(folder.path, 4, 'everything,disk,restore,definition');
  const { code } = await crash.exit;
  expect(`${crash.stdout()}${crash.stderr()}`).toContain('lost 0; every promise held');
  expect(code).toBe(0);
  expect(await readdir(folder.path)).toEqual([]);
}, 180_000);

test.skipIf(process.platform !== 'linux')(
  'Ctrl-C ends every process of a crash run and removes its files',
  async () => {
    await using folder = await temporaryFolder();
    await using crash = startCrash(folder.path, 50, 'bridge');
    await crash.waitFor('a round', ({ stdout }) => stdout.includes('round 1:'), 60_000);
    expect(await workingIn(folder.path)).not.toEqual([]);
    expect(await crash.kill('SIGINT')).toEqual({ code: 130, signal: null });
    expect(await workingIn(folder.path)).toEqual([]);
    expect(await readdir(folder.path)).toEqual([]);
  },
  90_000,
);

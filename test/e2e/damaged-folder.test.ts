// What people see of a data folder that is damaged: every command ends with a sentence that says what to do.
import { readdirSync, statSync, truncateSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, test } from 'vitest';
import { runMk8s } from '../support/process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ADVICE = 'it is damaged';
const run = [
  'run',
  '--source',
  'sandbox',
  '--sandbox-clusters',
  '1',
  '--sandbox-objects',
  '20',
  '--sandbox-rate',
  '20',
];

/** Recorded once; each test gets a copy. */
const recorded = record();

async function record() {
  const folder = await temporaryFolder();
  const { code, stderr } = await runMk8s([...run, '--mode', 'catch-up'], {
    cwd: folder.path,
    env: { HOME: folder.path },
  });
  expect([code, stderr]).toEqual([0, '']);
  return folder;
}

afterAll(async () => {
  await (await recorded)[Symbol.asyncDispose]();
});

async function recordedHome() {
  const folder = await temporaryFolder();
  await cp((await recorded).path, folder.path, { recursive: true });
  const file = readdirSync(folder.path, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('mk8s.db'));
  return {
    ...folder,
    at: { cwd: folder.path, env: { HOME: folder.path } },
    file: join(folder.path, file ?? expect.unreachable('no database')),
  };
}

function meddle(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}

describe('a damaged data folder', () => {
  test.each([
    ['where its streams stand', "UPDATE stream SET rv = '1'"],
    ['in what the watch compares with', 'UPDATE last_state SET sequence = sequence + 1'],
    ['in the frames', "UPDATE frame SET data = x'00'"],
    ['where the log ends', 'UPDATE log SET position = position + 1'],
    ['in its tables', 'DROP TABLE lease'],
  ])('%s: a run that would follow for ever ends with 1 and says what to do', async (_where, sql) => {
    await using home = await recordedHome();
    meddle(home.file, sql);
    const { code, stdout, stderr } = await runMk8s(run, home.at);
    expect(code).toBe(1);
    expect(stdout + stderr).toContain(ADVICE);
  });

  test('whose second half is gone: run, tail and status each end with 1 and say what to do', async () => {
    await using home = await recordedHome();
    truncateSync(home.file, Math.floor(statSync(home.file).size / 2 / 4096) * 4096);
    for (const command of [run, ['tail', '--from', 'beginning'], ['status']]) {
      const { code, stdout, stderr } = await runMk8s(command, home.at);
      expect([command[0], code]).toEqual([command[0], 1]);
      expect(stdout + stderr).toContain(ADVICE);
    }
  });
});

import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeKubeconfig, writeKubeconfig } from '../../../lib/cli/kubeconfig-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mk8s-kubeconfig-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

test('the file is readable by its owner alone, also in a folder that is made for it', async () => {
  const path = join(folder, 'deep/er/config');
  await writeKubeconfig(path, 'kind: Config\n', { force: false });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readFile(path, 'utf8')).toContain('kind: Config\n');
});

test('a file of our own is written over', async () => {
  const path = join(folder, 'config');
  await writeKubeconfig(path, 'a: 1\n', { force: false });
  await writeKubeconfig(path, 'a: 2\n', { force: false });
  expect(await readFile(path, 'utf8')).toContain('a: 2');
  expect(await readdir(folder)).toEqual(['config']);
});

test("somebody else's file is left alone unless forced", async () => {
  const path = join(folder, 'config');
  await writeFile(path, 'apiVersion: v1\n');
  await expect(writeKubeconfig(path, 'a: 1\n', { force: false })).rejects.toThrow(/did not write.*--force/);
  expect(await readFile(path, 'utf8')).toBe('apiVersion: v1\n');
  await writeKubeconfig(path, 'a: 1\n', { force: true });
  expect(await readFile(path, 'utf8')).toContain('a: 1');
});

test('it is removed at the end, unless somebody changed it', async () => {
  const path = join(folder, 'config');
  await writeKubeconfig(path, 'a: 1\n', { force: false });
  await writeFile(path, 'mine now\n');
  await removeKubeconfig(path, 'a: 1\n');
  expect(await readFile(path, 'utf8')).toBe('mine now\n');
  await rm(path);
  await writeKubeconfig(path, 'a: 1\n', { force: false });
  await removeKubeconfig(path, 'a: 1\n');
  expect(await readdir(folder)).toEqual([]);
});

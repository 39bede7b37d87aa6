// The operator's file of access providers: what is taken from it, and what is refused.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readProviderFile } from '../../../lib/adapters/kubernetes/provider-file.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

async function read(content: unknown): Promise<{ folder: string; result: unknown }> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'providers.json');
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  const result: unknown = await readProviderFile(file).catch((error: unknown) => error);
  return { folder: folder.path, result };
}

describe('the file of access providers', () => {
  test('has a plugin for each name, with nulls as Go writes them; a path is relative to it', async () => {
    const { folder, result } = await read({
      providers: [
        {
          name: 'a',
          execConfig: { apiVersion: 'v1', command: './bin/a', args: null, env: null, provideClusterInfo: true },
        },
        { name: 'b', execConfig: { command: 'b', args: ['x'] }, profileSourcedCLIArgsPolicy: 'Ignore' },
      ],
    });
    expect(result).toEqual([
      { name: 'a', exec: { apiVersion: 'v1', command: join(folder, 'bin/a'), provideClusterInfo: true } },
      { name: 'b', exec: { command: 'b', args: ['x'] } },
    ]);
  });

  test.each([
    ['it is not JSON', 'providers: []'],
    ['providers.0.execConfig', { providers: [{ name: 'a' }] }],
    ['provider "a" has no execConfig.command', { providers: [{ name: 'a', execConfig: {} }] }],
    [
      'has the policy Replace',
      { providers: [{ name: 'a', execConfig: { command: 'a' }, profileSourcedEnvVarsPolicy: 'Replace' }] },
    ],
  ])('is refused where %s', async (why, content) => {
    const { result } = await read(content);
    expect(result).toMatchObject({ code: 'config', message: expect.stringContaining(why) });
  });

  test('is an error that names it where it is not there', async () => {
    await expect(readProviderFile('/nowhere/providers.json')).rejects.toThrow('/nowhere/providers.json');
  });
});

import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tokenFileCredentials } from '../../../lib/adapters/kubernetes/credentials-files.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

describe('a token file', () => {
  async function tokenFile() {
    const folder = await scratchFolder();
    const path = join(folder.path, 'token');
    const clock = { now: 0 };
    const credentials = tokenFileCredentials(path, () => clock.now);
    return {
      path,
      clock,
      credentials,
      store: (text: string) => writeFile(path, text),
      header: async (fresh = false) => (await credentials.get({ fresh })).headers['authorization'],
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    };
  }

  test('is read without the newline at its end', async () => {
    await using file = await tokenFile();
    await file.store('abc\n');
    expect(await file.header()).toBe('Bearer abc');
  });

  test('that was rotated counts within ten seconds, and at once when a fresh credential is asked for', async () => {
    await using file = await tokenFile();
    await file.store('one');
    expect(await file.header()).toBe('Bearer one');
    await file.store('two');
    file.clock.now = 9_999;
    expect(await file.header()).toBe('Bearer one');
    file.clock.now = 10_000;
    expect(await file.header()).toBe('Bearer two');
    await file.store('three');
    expect(await file.header(true)).toBe('Bearer three');
  });

  test('that did not change gives the same credential, so that nothing is done anew', async () => {
    await using file = await tokenFile();
    await file.store('one');
    const first = await file.credentials.get({ fresh: false });
    expect(await file.credentials.get({ fresh: true })).toBe(first);
  });

  test('that is missing for a moment leaves the last token in use, until a fresh one is asked for', async () => {
    await using file = await tokenFile();
    await file.store('one');
    await file.header();
    await rm(file.path);
    file.clock.now = 20_000;
    expect(await file.header()).toBe('Bearer one');
    await expect(file.header(true)).rejects.toMatchObject({
      code: 'credentials',
      message: expect.stringContaining(file.path),
    });
  });

  test.each([
    ['is empty', '\n'],
    ['holds something else', 'one two'],
  ])('promise 9: that %s is an error that does not show it', async (_, text) => {
    await using file = await tokenFile();
    await file.store(text);
    const error: unknown = await file.header().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'credentials', message: expect.stringContaining(file.path) });
    expect(String(error)).not.toContain('one two');
  });
});

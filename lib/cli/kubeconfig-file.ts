// Writes a kubeconfig for others to use, and never over one that somebody else wrote: it may hold their only credentials.
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Mk8sError, messageOf } from '../model/errors.ts';

const mark = '# Written by `mk8s sandbox`, which removes it when it ends.\n';

/** Owner-only, all or nothing. Throws Mk8sError `config` where a file that was not written here is in the way. */
export async function writeKubeconfig(
  path: string,
  text: string,
  { force }: { readonly force: boolean },
): Promise<void> {
  const there = await readIfThere(path);
  if (there !== undefined && !there.startsWith(mark) && !force) {
    throw new Mk8sError(
      `Cannot write the sandbox's kubeconfig to ${path}: a file is there that mk8s did not write. Name another by --kubeconfig, or overwrite it with --force.`,
      { code: 'config' },
    );
  }
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, mark + text, { mode: 0o600, flag: 'wx' });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new Mk8sError(`Cannot write the sandbox's kubeconfig to ${path}: ${messageOf(error)}`, {
      code: 'config',
      cause: error,
    });
  }
}

/** Removes the file if it still holds what `writeKubeconfig` put there. */
export async function removeKubeconfig(path: string, text: string): Promise<void> {
  if ((await readIfThere(path)) === mark + text) await rm(path, { force: true });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Mk8sError(`Cannot read ${path}: ${messageOf(error)}`, { code: 'config', cause: error });
  }
}

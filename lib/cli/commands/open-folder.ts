// Opens the data folder for reading; a folder that no run has made yet is an error with a way out, not a new folder.
import { existsSync } from 'node:fs';
import { Mk8sError } from '../../model/errors.ts';
import type { FolderForReading } from '../engine.ts';
import type { Invocation } from '../invocation.ts';

/** `purpose` completes "Cannot …". Throws Mk8sError `storage`. */
export async function openExistingFolder(purpose: string, invocation: Invocation): Promise<FolderForReading> {
  const { config, engine } = invocation;
  if (!existsSync(config.data)) {
    throw new Mk8sError(
      `Cannot ${purpose}: there is no data folder ${config.data}. Start \`mk8s run\` with it first, or name another by --data.`,
      { code: 'storage' },
    );
  }
  return engine.openFolder(config.data);
}

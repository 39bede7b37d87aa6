// Opens the data folder for reading; a folder that no run has made yet is an error with a way out, not a new folder.
import { existsSync } from 'node:fs';
import { Mk8sError } from '../../model/errors.ts';
import type { FolderForReading, StatusForReading } from '../engine.ts';
import type { Invocation } from '../invocation.ts';

/** `purpose` completes "Cannot …". Throws Mk8sError `storage`. */
export async function openExistingFolder(purpose: string, invocation: Invocation): Promise<FolderForReading> {
  const { config, engine } = invocation;
  mustExist(purpose, config.data);
  return await engine.openFolder(config.data);
}

/** The same of any store. */
export async function openExistingStatus(purpose: string, invocation: Invocation): Promise<StatusForReading> {
  const { config, engine, env } = invocation;
  if (config.store === 'disk') mustExist(purpose, config.data);
  return await engine.openStatus(config, { env });
}

function mustExist(purpose: string, folder: string): void {
  if (existsSync(folder)) return;
  throw new Mk8sError(
    `Cannot ${purpose}: there is no data folder ${folder}. Start \`mk8s run\` with it first, or name another by --data.`,
    { code: 'storage' },
  );
}

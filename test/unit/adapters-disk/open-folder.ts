// Opens data folders for tests and closes them when the test has finished.
import { onTestFinished } from 'vitest';
import { type DataFolder, openDataFolder } from '../../../lib/adapters/disk/data-folder.ts';
import type { Observed } from '../../../lib/model/revision.ts';
import { testStream } from '../../support/changes.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** An empty folder's path; gone when the test that asked for it has finished. */
export async function dataPath(): Promise<string> {
  const folder = await temporaryFolder();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  return folder.path;
}

interface OpenFolder extends DataFolder {
  readonly path: string;
}

export function openFolder(path: string, options: { readOnly?: boolean; clock?: ManualClock } = {}): OpenFolder {
  const folder = openDataFolder({ clock: createManualClock(), ...options, path, host: 'here' });
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await folder.close();
  };
  onTestFinished(close);
  return { ...folder, path, close };
}

/** Appends under fence 1 in epoch 1, to the widgets unless told otherwise. */
export function append({ log }: DataFolder, changes: readonly Observed[], stream = testStream()) {
  return log.append(stream, { fence: 1, epoch: 1, changes });
}

export const everything = { changes: 1_000_000, bytes: 1e12 };

// The one place that knows adapters: builds what a configuration asks for, and hands it to the stages.
import { hostname } from 'node:os';
import { type DataFolder, openDataFolder } from './adapters/disk/data-folder.ts';
import { systemClock } from './async/system-clock.ts';

export type { Context } from './compose/context.ts';
export { discoverClusters } from './compose/discover.ts';
export { type RunHandle, type RunSnapshot, startRun } from './compose/run.ts';
export type { RunSummary } from './compose/run-summary.ts';
export { startSandbox } from './compose/sources.ts';

/** The feed and its neighbours, for commands that only read (and acknowledge). The folder has to exist. */
export async function openFolder(path: string): Promise<DataFolder> {
  return openDataFolder({ path, clock: systemClock, host: hostname() });
}

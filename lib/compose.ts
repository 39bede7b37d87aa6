// The one place that knows adapters: builds what a configuration asks for, and hands it to the stages. Each part is loaded when
// it is used, so that a command that reads the feed need not wait for what runs the bridge.
import { hostname } from 'node:os';
import type { DataFolder } from './adapters/disk/data-folder.ts';
import { systemClock } from './async/system-clock.ts';
import type { Context } from './compose/context.ts';
import type { MetadataHandle } from './compose/metadata.ts';
import type { PlannedRun } from './compose/plan.ts';
import type { RunHandle } from './compose/run.ts';
import type { Config } from './config/options.ts';
import type { ClusterInfo, Problem } from './model/cluster.ts';
import type { Simulation } from './plan/simulated-fleet.ts';
import type { TokenBroker } from './ports/token-broker.ts';

export type { Context } from './compose/context.ts';
export type { MetadataHandle } from './compose/metadata.ts';
export type { PlannedRun } from './compose/plan.ts';
export type { RunHandle, RunSnapshot } from './compose/run.ts';
export type { RunSummary } from './compose/run-summary.ts';
export { chooseDefault } from './discover/default-cluster.ts';
export type { WayPlan } from './plan/fleet-plan.ts';
export type { Simulation } from './plan/simulated-fleet.ts';

/** The main job. Ends when `context.signal` aborts, at the deadline, or (catch-up) at the present. */
export async function startRun(config: Config, context: Context): Promise<RunHandle> {
  return (await import('./compose/run.ts')).startRun(config, context);
}

/** The feed and its neighbours, for commands that only read (and acknowledge). The folder has to exist. */
export async function openFolder(path: string): Promise<DataFolder> {
  const { openDataFolder } = await import('./adapters/disk/data-folder.ts');
  return openDataFolder({ path, clock: systemClock, host: hostname() });
}

/** How the runs of a store do. A folder has to exist. */
export async function openStatus(
  config: Config,
  context: Pick<Context, 'env'>,
): Promise<Pick<DataFolder, 'status' | 'deadLetters' | 'close'>> {
  if (config.store === 'disk') return await openFolder(config.data);
  const [{ openStore }, { withOwnGoogle }] = await Promise.all([
    import('./compose/store.ts'),
    import('./compose/shared-google.ts'),
  ]);
  return await withOwnGoogle(config, context, (google) => openStore(config, context, google));
}

/** Reads the sources once and tries every cluster once. `close` also ends the sandbox, where it is the source. */
export async function discoverClusters(
  config: Config,
  context: Context,
): Promise<{ clusters: readonly ClusterInfo[]; problems: readonly Problem[]; close(): Promise<void> }> {
  return await (await import('./compose/discover.ts')).discoverClusters(config, context);
}

/** What following the clusters of the sources would amount to; with a simulation, those of a fleet that does not exist. */
export async function planRun(config: Config, context: Context, simulation?: Simulation): Promise<PlannedRun> {
  const plan = await import('./compose/plan.ts');
  return simulation === undefined ? await plan.planRun(config, context) : plan.planSimulation(config, simulation);
}

/** The HTTP functions in this process; `log` takes the audit log's lines. */
export async function startServing(
  config: Config,
  context: Context,
  log: (line: object) => void,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  return await (await import('./compose/serve.ts')).startServing(config, context, log);
}

/** The sandbox fleet, in this process. `folder`: kept there; default in memory. */
export async function startSandbox(options: {
  clusters: number;
  objects: number;
  rate: number;
  folder?: string;
}): Promise<{ kubeconfig(): string; stop(): Promise<void> }> {
  const { startFleet } = await import('./sandbox/fleet.ts');
  return await startFleet(options);
}

/** Who hands out tokens: the service of the configuration, else this process. Close it when done. */
export async function openTokens(config: Config, context: Context): Promise<TokenBroker> {
  return await (await import('./compose/tokens.ts')).openTokens(config, context);
}

/** The metadata server for programs of this machine. Ends by `stop`. */
export async function startMetadata(
  config: Config,
  context: Context,
  cluster: string | undefined,
): Promise<MetadataHandle> {
  return await (await import('./compose/metadata.ts')).startMetadata(config, context, cluster);
}

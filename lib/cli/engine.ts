// What the commands need of the rest of mk8s. compose.ts fulfils it; tests put fakes in its place.
import type { Context, MetadataHandle, PlannedRun, RunHandle, Simulation } from '../compose.ts';
import type { Config } from '../config/options.ts';
import type { ClusterInfo, Problem } from '../model/cluster.ts';
import type { DeadLetterStore } from '../ports/event-sink.ts';
import type { Feed, SubscriptionStore } from '../ports/feed.ts';
import type { StatusStore } from '../ports/status-store.ts';
import type { TokenBroker } from '../ports/token-broker.ts';

/** A data folder as its readers see it. */
export interface FolderForReading {
  readonly feed: Feed;
  readonly subscriptions: SubscriptionStore;
  readonly status: StatusStore;
  readonly deadLetters: DeadLetterStore;
  close(): Promise<void>;
}

export type StatusForReading = Pick<FolderForReading, 'status' | 'deadLetters' | 'close'>;

export interface Discovery {
  readonly clusters: readonly ClusterInfo[];
  readonly problems: readonly Problem[];
  close(): Promise<void>;
}

export interface Engine {
  startRun(config: Config, context: Context): RunHandle | Promise<RunHandle>;
  openFolder(path: string): Promise<FolderForReading>;
  /** The store of a configuration, to look at how a run does. A folder has to exist. */
  openStatus(config: Config, context: Pick<Context, 'env'>): Promise<StatusForReading>;
  discoverClusters(config: Config, context: Context): Promise<Discovery>;
  /** With a simulation, no cluster is looked for. */
  planRun(config: Config, context: Context, simulation?: Simulation): Promise<PlannedRun>;
  startServing(
    config: Config,
    context: Context,
    log: (line: object) => void,
  ): Promise<{ readonly url: string; stop(): Promise<void> }>;
  startSandbox(options: { clusters: number; objects: number; rate: number }): Promise<{
    /** YAML with a context per cluster. */
    kubeconfig(): string;
    stop(): Promise<void>;
  }>;
  openTokens(config: Config, context: Context): Promise<TokenBroker>;
  /** `cluster`: whose identity and place it has; default the default cluster. */
  startMetadata(config: Config, context: Context, cluster: string | undefined): Promise<MetadataHandle>;
}

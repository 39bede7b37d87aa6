// What the commands need of the rest of mk8s. compose.ts fulfils it; tests put fakes in its place.
import type { Config } from '../config/options.ts';
import type { ClusterInfo, Problem } from '../model/cluster.ts';
import type { StreamStatus } from '../model/stream-status.ts';
import type { DeadLetterStore } from '../ports/event-sink.ts';
import type { Feed, SubscriptionStore } from '../ports/feed.ts';
import type { Report } from '../ports/reporter.ts';
import type { StatusStore } from '../ports/status-store.ts';

export interface EngineContext {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly report: Report;
}

export interface RunSnapshot {
  readonly phase: 'discovering' | 'running' | 'stopping' | 'stopped';
  /** True where the clusters are the sandbox's. */
  readonly sandbox: boolean;
  readonly startedAt: number;
  readonly clusters: readonly ClusterInfo[];
  readonly streams: readonly StreamStatus[];
  readonly problems: readonly Problem[];
  /** Changes since the start of the run. */
  readonly recorded: number;
  readonly published: number;
  /** Of the recorded ones, those that had happened before the run began. */
  readonly caughtUp: number;
}

export interface RunSummary {
  readonly exitCode: number;
  readonly clusters: number;
  readonly streams: number;
  readonly recorded: { readonly add: number; readonly update: number; readonly delete: number };
  readonly published: number;
  readonly caughtUp: number;
  /** Recorded by an earlier run and published by this one. */
  readonly replayed: number;
  readonly durationMs: number;
  /** Whole sentences. */
  readonly failures: readonly string[];
}

export interface RunHandle {
  snapshot(): RunSnapshot;
  readonly finished: Promise<RunSummary>;
}

export interface DataFolder {
  readonly feed: Feed;
  readonly subscriptions: SubscriptionStore;
  readonly status: StatusStore;
  readonly deadLetters: DeadLetterStore;
  close(): Promise<void>;
}

export interface Discovery {
  readonly clusters: readonly ClusterInfo[];
  readonly problems: readonly Problem[];
  close(): Promise<void>;
}

export interface SandboxFleet {
  /** YAML with a context per cluster. */
  kubeconfig(): string;
  stop(): Promise<void>;
}

export interface Engine {
  startRun(config: Config, context: EngineContext): RunHandle;
  openFolder(path: string, context: EngineContext): Promise<DataFolder>;
  discoverClusters(config: Config, context: EngineContext): Promise<Discovery>;
  startSandbox(options: { clusters: number; objects: number; rate: number }): Promise<SandboxFleet>;
}

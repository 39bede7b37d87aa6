// The one place that knows adapters: builds what a configuration asks for, and hands it to the stages.
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { delimiter, join } from 'node:path';
import { type DataFolder, openDataFolder } from './adapters/disk/data-folder.ts';
import { defaultSources } from './adapters/kubernetes/context-defaults.ts';
import { kubernetesDiscovery } from './adapters/kubernetes/discovery-port.ts';
import { inClusterSource } from './adapters/kubernetes/in-cluster.ts';
import { kubeconfigSource } from './adapters/kubernetes/kubeconfig.ts';
import { createSemaphore } from './async/semaphore.ts';
import { systemClock } from './async/system-clock.ts';
import { type BridgeResult, runBridge } from './bridge/bridge.ts';
import { createByteBudget } from './bridge/byte-budget.ts';
import { fanOut } from './bridge/fan-out.ts';
import { keepRetention, keepStatus } from './bridge/housekeeping.ts';
import { createLeaseKeeper, type LeaseKeeper } from './bridge/lease-keeper.ts';
import { createStatusBoard } from './bridge/status-board.ts';
import { createTally } from './bridge/tally.ts';
import type { Config } from './config/options.ts';
import { followInventory, type Inventory } from './discover/inventory.ts';
import { type RedactionRule, secretsRule } from './history/redact.ts';
import type { ClusterInfo, Problem } from './model/cluster.ts';
import { Mk8sError, messageOf } from './model/errors.ts';
import { glob } from './model/glob.ts';
import { formatGroupResource } from './model/resource.ts';
import type { StreamStatus } from './model/stream-status.ts';
import { resourcePattern } from './plan/resource-pattern.ts';
import type { ClusterSource } from './ports/cluster-source.ts';
import type { EventSink } from './ports/event-sink.ts';
import type { Holder } from './ports/lease-store.ts';
import type { Report } from './ports/reporter.ts';
import { defaultWatchPolicy, type WatchPolicy } from './watch/watch-context.ts';

export interface Context {
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
  /** Streams that resumed from where an earlier run had come, without listing. */
  readonly resumed: number;
  /** Recorded by an earlier run and published by this one. */
  readonly replayed: number;
  readonly durationMs: number;
  /** Whole sentences. */
  readonly failures: readonly string[];
}

export interface RunHandle {
  snapshot(): RunSnapshot;
  /** Rejects with Mk8sError where the run could not begin: `unreachable`, `fenced`, `storage`, `config`. */
  readonly finished: Promise<RunSummary>;
}

/** Sources are read again this often, milliseconds: clusters join and leave without a restart. */
const REFRESH_MS = 30_000;
/** First syncs at a time: enough to use the network, few enough to be a polite client and to bound memory. */
const SYNCS = 8;
/** A quiet watch of a catch-up: servers send a bookmark about 2 s before its end. */
const CATCH_UP_SECONDS = 15;

/** The main job. Ends when `context.signal` aborts, at the deadline, or (catch-up) at the present. */
export function startRun(config: Config, context: Context): RunHandle {
  const startedAt = systemClock.now();
  const board = createStatusBoard();
  const tally = createTally();
  const view: {
    phase: RunSnapshot['phase'];
    sandbox: boolean;
    clusters: readonly ClusterInfo[];
    problems: readonly Problem[];
  } = { phase: 'discovering', sandbox: false, clusters: [], problems: [] };
  const recorded = (): number => tally.recorded.add + tally.recorded.update + tally.recorded.delete;

  async function run(): Promise<RunSummary> {
    const over = new AbortController();
    const deadline = config.deadline === undefined ? undefined : startTimer(config.deadline, over.signal);
    const stop = AbortSignal.any([context.signal, ...(deadline === undefined ? [] : [deadline]), over.signal]);
    stop.addEventListener('abort', () => {
      view.phase = 'stopping';
    });
    const folder = openFolderToWrite(config.data);
    const sources = await openSources(config, context);
    view.sandbox = sources.sandbox;
    const holder = thisProcess();
    const leases = createLeaseKeeper({ ...folder, holder, clock: systemClock, report: context.report });
    const sink = await openSinks(config, folder, over);
    const beside = new AbortController();
    const surroundings = { clock: systemClock, report: context.report, signal: beside.signal };
    const shown = { description: holder.description, startedAt, problems: () => view.problems };
    const tasks: Promise<void>[] = [];
    try {
      const owned = await ownFolder(config, leases);
      await board.restore(folder.status);
      tasks.push(keepStatus(folder.status, board, shown, surroundings), ...retention(config, folder, surroundings));
      try {
        const result = await runBridge({
          ...folder,
          sources: sources.sources,
          discovery: kubernetesDiscovery,
          wanted: wantedOf(config),
          refreshMs: REFRESH_MS,
          stop,
          onInventory(clusters, problems) {
            view.clusters = clusters;
            view.problems = [...sources.problems, ...problems];
            if (view.phase === 'discovering' && clusters.some(({ id }) => id !== undefined)) view.phase = 'running';
          },
          leases,
          sink,
          redact: [secretsRule, ...redactionRules(config)],
          ignoreNoop: config.ignoreNoop,
          mode: config.mode,
          policy: watchPolicy(config),
          syncs: createSemaphore(SYNCS),
          budget: createByteBudget(config.memory),
          board,
          tally,
          clock: systemClock,
          random: Math.random,
          report: context.report,
        });
        return summarize(result, deadline?.aborted === true, over.signal);
      } finally {
        beside.abort(new Error('the run ended'));
        await Promise.all(tasks);
        await owned.release();
      }
    } finally {
      over.abort(new Error('the run ended'));
      await sink?.close();
      await folder.close();
      await sources.close();
      view.phase = 'stopped';
    }
  }

  function summarize(result: BridgeResult, late: boolean, over: AbortSignal): RunSummary {
    const streams = board.snapshot(systemClock.now());
    const failures = [
      ...(over.aborted ? [messageOf(over.reason)] : []),
      ...result.unreached.map(({ name, error }) => `Cluster "${name}" was not reached: ${error}`),
      ...unfinished(result, config.mode),
      ...streams.filter((row) => row.published < row.recorded).map(unpublished),
    ];
    const incomplete = config.mode === 'catch-up' && (late || failures.length > 0);
    const broken = over.aborted || streams.some((row) => row.published < row.recorded);
    return {
      exitCode: incomplete ? 5 : broken ? 1 : 0,
      clusters: result.reached,
      streams: streams.length,
      recorded: { ...tally.recorded },
      published: tally.published,
      caughtUp: tally.caughtUp,
      resumed: tally.resumed,
      replayed: tally.replayed,
      durationMs: systemClock.now() - startedAt,
      failures,
    };
  }

  return {
    snapshot: () => ({
      ...view,
      startedAt,
      streams: board.snapshot(systemClock.now()),
      recorded: recorded(),
      published: tally.published,
      caughtUp: tally.caughtUp,
    }),
    finished: run(),
  };
}

/** The feed and its neighbours, for commands that only read (and acknowledge). The folder has to exist. */
export async function openFolder(path: string): Promise<DataFolder> {
  return openDataFolder({ path, clock: systemClock, host: hostname() });
}

/** Reads the sources once and tries every cluster once. `close` also ends the sandbox, where it is the source. */
export async function discoverClusters(
  config: Config,
  context: Context,
): Promise<{ clusters: readonly ClusterInfo[]; problems: readonly Problem[]; close(): Promise<void> }> {
  const opened = await openSources(config, context);
  const over = new AbortController();
  const signal = AbortSignal.any([context.signal, over.signal]);
  let last: Inventory | undefined;
  const inventories = followInventory({
    sources: opened.sources,
    discovery: kubernetesDiscovery,
    refreshMs: REFRESH_MS,
    clock: systemClock,
    random: Math.random,
    signal,
  });
  try {
    for await (const inventory of inventories) {
      last = inventory;
      if (inventory.complete) break;
    }
  } finally {
    over.abort(new Error('discovery ended'));
    await Promise.all((last?.reached ?? []).map(({ api }) => api.close()));
  }
  const problems = [...opened.problems, ...(last?.problems ?? [])];
  return { clusters: last?.infos ?? [], problems, close: () => opened.close() };
}

/** The sandbox fleet, in this process. */
export async function startSandbox(options: {
  clusters: number;
  objects: number;
  rate: number;
  folder?: string;
}): Promise<{ kubeconfig(): string; stop(): Promise<void> }> {
  const { startFleet } = await import('./sandbox/fleet.ts');
  return await startFleet(options);
}

interface OpenedSources {
  readonly sources: readonly ClusterSource[];
  readonly problems: readonly Problem[];
  readonly sandbox: boolean;
  close(): Promise<void>;
}

async function openSources(config: Config, context: Context): Promise<OpenedSources> {
  const wanted = config.source;
  if (wanted.includes('sandbox')) return await sandboxSources(config);
  // Files named here are merged as those of KUBECONFIG are.
  const named = config.kubeconfig.length > 0 ? { KUBECONFIG: config.kubeconfig.join(delimiter) } : {};
  const location = { env: { ...context.env, ...named }, home: context.env['HOME'] ?? homedir() };
  const sources = wanted.flatMap((name): readonly ClusterSource[] => {
    if (name === 'in-cluster') return [inClusterSource(location)];
    return name === 'kubeconfig' ? [kubeconfigSource(location)] : defaultSources(location);
  });
  const chosen = sources.map((source) => onlyContexts(source, config.contexts));
  if (!config.fallbackSandbox) return { sources: chosen, problems: [], sandbox: false, close: () => Promise.resolve() };
  const found = await Promise.all(chosen.map((source) => source.discover(context.signal)));
  if (found.some(({ candidates }) => candidates.length > 0)) {
    return { sources: chosen, problems: [], sandbox: false, close: () => Promise.resolve() };
  }
  const problems = found.flatMap((answer) => answer.problems);
  for (const { source, message } of problems) context.report({ severity: 'WARNING', message: `${source}: ${message}` });
  const message = 'No cluster was found (no kubeconfig, not in a cluster): running the sandbox fleet instead';
  context.report({ severity: 'INFO', message });
  return { ...(await sandboxSources(config)), problems };
}

/** The sandbox keeps its objects in the data folder, so that a second start finds the same clusters. */
async function sandboxSources(config: Config): Promise<OpenedSources> {
  const folder = join(config.data, 'sandbox');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const fleet = await startSandbox({ ...config.sandbox, folder });
  const file = join(folder, 'kubeconfig');
  await writeFile(file, fleet.kubeconfig(), { mode: 0o600 });
  await chmod(file, 0o600);
  const contexts = kubeconfigSource({ env: {}, home: folder, path: file });
  const source: ClusterSource = {
    name: 'sandbox',
    async discover(signal) {
      const { candidates, problems } = await contexts.discover(signal);
      return { candidates: candidates.map((candidate) => ({ ...candidate, source: 'sandbox' })), problems };
    },
  };
  return { sources: [onlyContexts(source, config.contexts)], problems: [], sandbox: true, close: () => fleet.stop() };
}

function onlyContexts(source: ClusterSource, globs: readonly string[]): ClusterSource {
  if (globs.length === 0) return source;
  const wanted = globs.map(glob);
  return {
    name: source.name,
    async discover(signal) {
      const { candidates, problems } = await source.discover(signal);
      return { candidates: candidates.filter(({ name }) => wanted.some((matches) => matches(name))), problems };
    },
  };
}

async function openSinks(config: Config, folder: DataFolder, over: AbortController): Promise<EventSink | undefined> {
  const sinks = await Promise.all(
    config.sinks.map(async (target): Promise<EventSink> => {
      if (target !== 'stdout:') {
        const { webhookSink } = await import('./adapters/http/webhook-sink.ts');
        return webhookSink({ url: target, deadLetters: folder.deadLetters, clock: systemClock });
      }
      const { stdoutSink } = await import('./adapters/stdout/stdout-sink.ts');
      // Nobody reads any more (`| head`): that ends the run, as it ends other programs.
      return endingWhenGone(stdoutSink(process.stdout), over);
    }),
  );
  return sinks.length > 1 ? fanOut(sinks) : sinks[0];
}

function endingWhenGone(sink: EventSink, over: AbortController): EventSink {
  return {
    ...sink,
    async publish(batch, signal) {
      try {
        await sink.publish(batch, signal);
      } catch (error) {
        if (error instanceof Mk8sError && !error.retryable) over.abort(error);
        throw error;
      }
    },
  };
}

function openFolderToWrite(path: string): DataFolder {
  return openDataFolder({ path, clock: systemClock, host: hostname() });
}

/** One run per folder and shard; the error says who has it. */
async function ownFolder(config: Config, leases: LeaseKeeper): Promise<{ release(): Promise<void> }> {
  const { index, count } = config.shard;
  const answer = await leases.acquire(`run/${index}-of-${count}`);
  if (!('holder' in answer)) return answer;
  const share = count > 1 ? `Share ${index} of ${count} of data folder` : 'Data folder';
  throw new Mk8sError(
    `${share} "${config.data}" is in use by another run (${answer.holder.description}). Stop that one, wait until its lease ends (${new Date(answer.expiresAt).toISOString()}), or choose another folder with --data.`,
    { code: 'fenced' },
  );
}

function retention(
  config: Config,
  folder: DataFolder,
  surroundings: Parameters<typeof keepRetention>[2],
): Promise<void>[] {
  const { age, revisions } = config.retention;
  if (age === undefined && revisions === undefined) return [];
  const policy = {
    ...(age === undefined ? {} : { maxAgeMs: age }),
    ...(revisions === undefined ? {} : { maxRevisionsPerObject: revisions }),
  };
  return [keepRetention(folder, policy, surroundings)];
}

function wantedOf(config: Config): Parameters<typeof runBridge>[0]['wanted'] {
  const { resources, excludeResources, namespaces, labelSelector, shard } = config;
  return { resources, excludeResources, namespaces, shard, ...(labelSelector === undefined ? {} : { labelSelector }) };
}

function redactionRules(config: Config): readonly RedactionRule[] {
  return config.redact.map(({ resources, fields }) => {
    const patterns = resources.map(resourcePattern);
    return { fields, matches: (resource) => patterns.some((matches) => matches(resource)) };
  });
}

function watchPolicy({ mode }: Config): WatchPolicy {
  return mode === 'follow' ? defaultWatchPolicy : { ...defaultWatchPolicy, timeoutSeconds: () => CATCH_UP_SECONDS };
}

function thisProcess(): Holder {
  const host = hostname();
  return { id: randomUUID(), description: `${host}, pid ${process.pid}`, host, pid: process.pid };
}

function startTimer(ms: number, cancel: AbortSignal): AbortSignal {
  const controller = new AbortController();
  systemClock.sleep(ms, cancel).then(
    () => controller.abort(new Error('the deadline has come')),
    // The run ended before.
    () => undefined,
  );
  return controller.signal;
}

function unfinished({ outcomes }: BridgeResult, mode: Config['mode']): string[] {
  return outcomes.flatMap(({ stream, end, failure }) => {
    const resource = formatGroupResource(stream);
    if (end === 'failed') return [`${resource}: ${failure}`];
    if (end === 'held') return [`${resource} is followed by another run`];
    return end === 'stopped' && mode === 'catch-up' ? [`${resource} did not reach its cluster's present`] : [];
  });
}

function unpublished({ stream, clusterName, recorded, published }: StreamStatus): string {
  const resource = formatGroupResource(stream);
  return `${recorded - published} recorded changes of ${resource} in cluster "${clusterName}" are not published yet; the next run does it`;
}

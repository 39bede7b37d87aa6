// The main job, composed: adapters for the bridge, and what goes on beside it.
import { kubernetesDiscovery } from '../adapters/kubernetes/discovery-port.ts';
import { createShares } from '../async/shares.ts';
import { systemClock } from '../async/system-clock.ts';
import { type BridgeOptions, type BridgeResult, runBridge } from '../bridge/bridge.ts';
import { createByteBudget } from '../bridge/byte-budget.ts';
import { createStatusKeeper, keepRetention } from '../bridge/housekeeping.ts';
import { createLeaseKeeper } from '../bridge/lease-keeper.ts';
import { createStatusBoard } from '../bridge/status-board.ts';
import { createTally } from '../bridge/tally.ts';
import type { Config } from '../config/options.ts';
import type { ClusterInfo, Problem } from '../model/cluster.ts';
import { messageOf } from '../model/errors.ts';
import type { StreamStatus } from '../model/stream-status.ts';
import type { EventSink } from '../ports/event-sink.ts';
import type { Context } from './context.ts';
import { endingOnDamage } from './end-on-damage.ts';
import { boundHeap } from './heap-bounds.ts';
import { inventoryKeeper } from './inventory-keeper.ts';
import { ownStore, thisProcess } from './ownership.ts';
import { redactionRules, retentionPolicy, wantedOf, watchPolicy } from './run-settings.ts';
import { type RunSummary, summarize } from './run-summary.ts';
import { sharedGoogle } from './shared-google.ts';
import { openSinks } from './sinks.ts';
import { openSources, REFRESH_MS } from './sources.ts';
import { openStore, type RunStore } from './store.ts';

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

export interface RunHandle {
  snapshot(): RunSnapshot;
  /** Rejects with Mk8sError where the run could not begin: `unreachable`, `fenced`, `storage`, `config`. */
  readonly finished: Promise<RunSummary>;
}

/** First syncs at a time, beside one of each cluster: enough to use the network, few enough to be a polite client and to bound memory. */
const SYNCS = 8;

interface View {
  phase: RunSnapshot['phase'];
  sandbox: boolean;
  clusters: readonly ClusterInfo[];
  problems: readonly Problem[];
}

/** The main job. Ends when `context.signal` aborts, at the deadline, or (catch-up) at the present. */
export function startRun(config: Config, context: Context): RunHandle {
  boundHeap();
  const startedAt = systemClock.now();
  const board = createStatusBoard();
  const tally = createTally();
  const google = sharedGoogle(config, context);
  const view: View = { phase: 'discovering', sandbox: false, clusters: [], problems: [] };

  /** Opens the store before anything else: a second run on it must not even start a sandbox. */
  async function run(): Promise<RunSummary> {
    const opened = await openStore(config, context, google);
    const over = new AbortController();
    const store = endingWhenDamaged(opened, over);
    try {
      const holder = thisProcess();
      const leases = createLeaseKeeper({ ...store, holder, clock: systemClock, report: context.report });
      const owned = await ownStore(config, leases);
      await board.restore(store.status);
      const shown = { description: holder.description, startedAt, problems: () => view.problems };
      const beside = new AbortController();
      const surroundings = { clock: systemClock, report: context.report, signal: beside.signal };
      const policy = retentionPolicy(config);
      const status = createStatusKeeper(store.status, board, shown, surroundings);
      const tasks = [status.run(), ...(policy === undefined ? [] : [keepRetention(store, policy, surroundings)])];
      try {
        return await follow({ ...store, leases, showStatus: () => status.write() }, over);
      } finally {
        beside.abort(new Error('the run ended'));
        await Promise.all(tasks);
        await owned.release();
      }
    } finally {
      over.abort(new Error('the run ended'));
      await store.close();
      view.phase = 'stopped';
    }
  }

  async function runAndClose(): Promise<RunSummary> {
    try {
      return await run();
    } finally {
      await google.close();
    }
  }

  async function follow(
    stores: Omit<RunStore, 'leases'> & Pick<BridgeOptions, 'leases' | 'showStatus'>,
    over: AbortController,
  ): Promise<RunSummary> {
    const deadline = config.deadline === undefined ? undefined : startTimer(config.deadline, over.signal);
    const stop = AbortSignal.any([context.signal, over.signal, ...(deadline === undefined ? [] : [deadline])]);
    stop.addEventListener('abort', () => {
      view.phase = 'stopping';
    });
    const opened = await openSources(config, context, google);
    view.sandbox = opened.sandbox;
    let sink: EventSink | undefined;
    const inventory = inventoryKeeper(stores.inventory, systemClock, context.report);
    try {
      sink = await openSinks(config, stores, over, { ...context, signal: stop }, google);
      const result = await runBridge({
        ...stores,
        sources: opened.sources,
        wish: opened.wish,
        discovery: kubernetesDiscovery,
        wanted: wantedOf(config),
        refreshMs: REFRESH_MS,
        stop,
        onInventory(clusters, found) {
          inventory.keep(clusters);
          Object.assign(view, { clusters, problems: [...opened.problems, ...found] });
          if (view.phase === 'discovering' && clusters.some(({ id }) => id !== undefined)) view.phase = 'running';
        },
        sink,
        redact: redactionRules(config),
        ignoreNoop: config.ignoreNoop,
        mode: config.mode,
        policy: watchPolicy(config),
        syncs: createShares(SYNCS),
        budget: createByteBudget(config.memory),
        board,
        tally,
        clock: systemClock,
        random: Math.random,
        report: context.report,
      });
      return summary(result, deadline?.aborted === true, over.signal);
    } finally {
      await inventory.settled();
      await sink?.close();
      await opened.close();
    }
  }

  function summary(result: BridgeResult, late: boolean, over: AbortSignal): RunSummary {
    const now = systemClock.now();
    const broken = over.aborted ? messageOf(over.reason) : undefined;
    const streams = board.snapshot(now);
    return summarize(result, { mode: config.mode, streams, tally, startedAt, now, late, broken });
  }

  return {
    snapshot: () => ({
      ...view,
      startedAt,
      streams: board.snapshot(systemClock.now()),
      recorded: tally.recorded.add + tally.recorded.update + tally.recorded.delete,
      published: tally.published,
      caughtUp: tally.caughtUp,
    }),
    finished: runAndClose(),
  };
}

/** The store, such that its damage ends the run, wherever it is met. */
function endingWhenDamaged(store: RunStore, over: AbortController): RunStore {
  const guarded = endingOnDamage(store, over);
  return {
    ...store,
    log: endingOnDamage(store.log, over),
    checkpoints: endingOnDamage(store.checkpoints, over),
    leases: endingOnDamage(store.leases, over),
    status: endingOnDamage(store.status, over),
    inventory: endingOnDamage(store.inventory, over),
    deadLetters: endingOnDamage(store.deadLetters, over),
    retain: (policy, budget) => guarded.retain(policy, budget),
  };
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

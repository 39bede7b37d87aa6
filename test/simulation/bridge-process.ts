// `mk8s run` in a simulation: what lib/compose/run.ts puts together, from simulated parts. It does not take the folder's own
// lease, so that runs may overlap as they do where each is a scheduled job of its own.
import { kubernetesDiscovery } from '../../lib/adapters/kubernetes/discovery-port.ts';
import { createShares } from '../../lib/async/shares.ts';
import { type BridgeResult, runBridge } from '../../lib/bridge/bridge.ts';
import { type ByteBudget, createByteBudget } from '../../lib/bridge/byte-budget.ts';
import { fanOut } from '../../lib/bridge/fan-out.ts';
import { createStatusKeeper, keepRetention } from '../../lib/bridge/housekeeping.ts';
import { createLeaseKeeper } from '../../lib/bridge/lease-keeper.ts';
import { createStatusBoard, type StatusBoard } from '../../lib/bridge/status-board.ts';
import { createTally } from '../../lib/bridge/tally.ts';
import { secretsRule } from '../../lib/history/redact.ts';
import type { ClusterInfo, Problem } from '../../lib/model/cluster.ts';
import type { Wanted } from '../../lib/plan/streams.ts';
import type { ClusterSource } from '../../lib/ports/cluster-source.ts';
import type { ReportEntry } from '../../lib/ports/reporter.ts';
import type { RetentionPolicy } from '../../lib/ports/retention.ts';
import { defaultWatchPolicy } from '../../lib/watch/watch-context.ts';
import { behindGateway, type GatewaySettings } from './gateway.ts';
import type { SimProcess } from './process.ts';
import type { SimSink } from './sink.ts';
import type { SimStore } from './store.ts';

export interface BridgeSettings {
  readonly wanted: Wanted;
  readonly mode: 'follow' | 'catch-up';
  readonly ignoreNoop: boolean;
  /** Bytes in flight. */
  readonly memory: number;
  readonly syncs: number;
  /** How long a watch is asked to last, seconds; at random between these. */
  readonly watchSeconds: readonly [number, number];
  readonly retention: RetentionPolicy | undefined;
  /** All clusters but an honest one are behind a gateway that allows so much; absent in what was kept before there was one. */
  readonly gateway?: GatewaySettings | undefined;
  /** Whether the status is written every second. */
  readonly status: boolean;
}

export interface BridgeProcess {
  readonly process: SimProcess;
  readonly settings: BridgeSettings;
  readonly board: StatusBoard;
  readonly budget: ByteBudget;
  /** Asks it to end in order. */
  stop(): void;
  readonly stopping: boolean;
  /** How it ended; undefined while it runs, and for ever where it died. */
  readonly ended: { readonly result?: BridgeResult; readonly error?: unknown } | undefined;
}

export interface BridgeParts {
  readonly process: SimProcess;
  readonly settings: BridgeSettings;
  readonly store: SimStore;
  readonly sinks: readonly SimSink[];
  readonly source: ClusterSource;
  /** It ended by itself, or in order. */
  readonly onEnded: () => void;
  /** The gateway refused a stream. */
  readonly onRefused: (why: string) => void;
  readonly onReport: (entry: ReportEntry) => void;
  readonly onInventory: (clusters: readonly ClusterInfo[], problems: readonly Problem[]) => void;
}

export function startBridge({
  process,
  settings,
  store,
  sinks,
  source,
  onEnded,
  onRefused,
  onReport,
  onInventory,
}: BridgeParts): BridgeProcess {
  const { clock, dice } = process;
  const { gateway } = settings;
  const stop = new AbortController();
  const board = createStatusBoard();
  const budget = createByteBudget(settings.memory);
  const random = dice.fork('random').next;
  const host = store.hostOf(process);
  const holder = { id: process.name, description: `${host}, pid ${process.pid}`, host, pid: process.pid };
  let problems: readonly Problem[] = [];
  let ended: BridgeProcess['ended'];

  function report(entry: ReportEntry): void {
    if (process.alive) onReport(entry);
  }

  async function run(): Promise<BridgeResult> {
    const folder = store.open(process);
    const beside = new AbortController();
    const surroundings = { clock, report, signal: beside.signal };
    const opened = sinks.map((sink) => sink.open(process, folder.deadLetters));
    const sink = opened.length > 1 ? fanOut(opened) : opened[0];
    try {
      await board.restore(folder.status);
      const shown = { description: holder.description, startedAt: clock.now(), problems: () => problems };
      const status = createStatusKeeper(folder.status, board, shown, surroundings);
      const { retention } = settings;
      const tasks = [
        ...(settings.status ? [status.run()] : []),
        ...(retention === undefined ? [] : [keepRetention(folder, retention, surroundings)]),
      ];
      try {
        return await runBridge({
          ...folder,
          leases: createLeaseKeeper({ leases: folder.leases, holder, clock, report }),
          showStatus: () => status.write(),
          sources: [gateway === undefined ? source : behindGateway(source, gateway, process, onRefused)],
          discovery: kubernetesDiscovery,
          wanted: settings.wanted,
          refreshMs: 30_000,
          stop: stop.signal,
          onInventory(clusters, found) {
            problems = found;
            if (process.alive) onInventory(clusters, found);
          },
          sink,
          redact: [secretsRule],
          ignoreNoop: settings.ignoreNoop,
          mode: settings.mode,
          policy: {
            ...defaultWatchPolicy,
            timeoutSeconds: (chance) => {
              // As lib/compose/run-settings.ts has it.
              const [least, most] = settings.mode === 'catch-up' ? [15, 15] : settings.watchSeconds;
              return least + Math.floor(chance() * (most - least));
            },
          },
          syncs: createShares(settings.syncs),
          budget,
          board,
          tally: createTally(),
          clock,
          random,
          report,
        });
      } finally {
        beside.abort(new Error('the run ended'));
        await Promise.all(tasks);
      }
    } finally {
      await sink?.close();
      await folder.close();
    }
  }

  run().then(
    (result) => end({ result }),
    (error: unknown) => end({ error }),
  );

  function end(how: NonNullable<BridgeProcess['ended']>): void {
    if (!process.alive) return;
    ended = how;
    onEnded();
  }

  return {
    process,
    settings,
    board,
    budget,
    stop: () => stop.abort(new Error('told to stop')),
    get stopping() {
      return stop.signal.aborted;
    },
    get ended() {
      return ended;
    },
  };
}

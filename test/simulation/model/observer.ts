// What a check may listen to. Each promise has a file in checks/ that takes what it needs.
import type { ClusterInfo, Problem } from '../../../lib/model/cluster.ts';
import type { ReportEntry } from '../../../lib/ports/reporter.ts';
import type { BridgeProcess } from '../bridge-process.ts';
import type { SimProcess } from '../process.ts';
import type { Arrival, SinkWatcher } from '../sink.ts';
import type { StoreWatcher } from '../store.ts';

export interface Watchers extends StoreWatcher, Omit<SinkWatcher, 'onArrival'> {
  /** A change arrived at a sink or a tail: `who` names it. */
  onArrival(who: string, process: SimProcess, arrival: Arrival): void;
  onReport(process: SimProcess, entry: ReportEntry): void;
  onInventory(process: SimProcess, clusters: readonly ClusterInfo[], problems: readonly Problem[]): void;
  /** Retention removed changes before a tail read them. */
  onMissed(who: string, from: number, to: number): void;
  onBridgeStart(bridge: BridgeProcess): void;
  /** Died, or ended in order. */
  onBridgeEnd(bridge: BridgeProcess): void;
  /** Nothing more happens at this moment of simulated time. */
  onStep(): void;
  /** All is calm and has caught up; what runs goes on. */
  onCaughtUp(): void;
  /** Nothing runs any more. */
  onEnd(): Promise<void>;
}

/** A check listens to some of it. */
export type Check = Partial<Watchers>;

/** Says that a promise is broken; the first one counts. */
export type Fail = (promise: number | 'liveness', message: string) => void;

/** Everything is told to all checks, in their order. */
export function tellAll(checks: readonly Check[]): Watchers {
  const tell =
    <Name extends keyof Watchers>(name: Name) =>
    (...args: Parameters<Watchers[Name]>): void => {
      for (const check of checks) (check[name] as ((...all: typeof args) => void) | undefined)?.(...args);
    };
  return {
    onAppend: tell('onAppend'),
    onCheckpoint: tell('onCheckpoint'),
    onLease: tell('onLease'),
    onHeld: tell('onHeld'),
    onDeadLetter: tell('onDeadLetter'),
    onPosition: tell('onPosition'),
    onAcknowledged: tell('onAcknowledged'),
    onStatus: tell('onStatus'),
    onArrival: tell('onArrival'),
    onSettled: tell('onSettled'),
    onBatch: tell('onBatch'),
    onReport: tell('onReport'),
    onInventory: tell('onInventory'),
    onMissed: tell('onMissed'),
    onBridgeStart: tell('onBridgeStart'),
    onBridgeEnd: tell('onBridgeEnd'),
    onStep: tell('onStep'),
    onCaughtUp: tell('onCaughtUp'),
    onAppendBegins: tell('onAppendBegins'),
    async onEnd() {
      for (const check of checks) await check.onEnd?.();
    },
  };
}

// The whole pipeline on one page: discover → plan → watch → record → publish → checkpoint, for every cluster of the fleet.

import { followInventory, type InventoryOptions } from '../discover/inventory.ts';
import type { Inventory, ReachedCluster } from '../discover/merge.ts';
import type { ClusterInfo, Problem } from '../model/cluster.ts';
import { Mk8sError, messageOf } from '../model/errors.ts';
import type { ClusterId } from '../model/stream.ts';
import type { Wanted } from '../plan/streams.ts';
import type { ResourceDiscovery } from '../ports/resource-discovery.ts';
import { runCluster, type StreamOutcome } from './run-cluster.ts';
import { watchForStalls } from './stalls.ts';
import type { StreamServices } from './stream-task.ts';

/** After `stop`, what was read gets this long to be published, milliseconds; the rest stays in the log. */
const DRAIN_MS = 6_000;

export interface BridgeOptions extends StreamServices {
  readonly sources: InventoryOptions['sources'];
  readonly wish?: InventoryOptions['wish'];
  readonly discovery: ResourceDiscovery;
  readonly wanted: Wanted;
  readonly refreshMs: number;
  /** Aborts to stop in order. */
  readonly stop: AbortSignal;
  readonly onInventory: (clusters: readonly ClusterInfo[], problems: readonly Problem[]) => void;
}

export interface BridgeResult {
  readonly outcomes: readonly StreamOutcome[];
  /** Those that were tried. */
  readonly unreached: readonly ClusterInfo[];
  readonly reached: number;
}

interface Running {
  readonly cluster: ReachedCluster;
  readonly leave: AbortController;
  readonly giveUp: AbortController;
  readonly done: Promise<readonly StreamOutcome[]>;
}

/**
 * Runs until `stop` aborts, or, in catch-up mode, until every stream has reached what was its cluster's present. Throws
 * Mk8sError `unreachable` where every cluster was tried and none could be reached so far.
 */
export async function runBridge(options: BridgeOptions): Promise<BridgeResult> {
  const { clock, stop } = options;
  const giveUp = new AbortController();
  const over = new AbortController();
  const until = AbortSignal.any([stop, over.signal]);
  stop.addEventListener('abort', () => abortLater(giveUp));
  const running = new Map<ClusterId, Running>();
  const leaving = new Map<ClusterId, Promise<void>>();
  const finished: StreamOutcome[] = [];
  const renewing = options.leases.run(over.signal);
  const watching = watchForStalls(clock, over.signal, connectAnew);
  let last: Inventory | undefined;
  let reachedAny = false;
  try {
    for await (const inventory of followInventory({ ...options, signal: until })) {
      last = inventory;
      options.onInventory(inventory.infos, inventory.problems);
      reachedAny ||= inventory.reached.length > 0;
      // Later, clusters may all be away for a while.
      if (inventory.complete && !reachedAny) throw nothingReached(inventory);
      adapt(inventory);
      if (options.mode === 'catch-up' && inventory.complete) break;
    }
  } catch (error) {
    if (!stop.aborted) {
      over.abort(error);
      throw error;
    }
  } finally {
    const outcomes = await Promise.all([...running.values()].map(({ done }) => done));
    finished.push(...outcomes.flat());
    await Promise.all(leaving.values());
    over.abort(new Error('the run ended'));
    await Promise.all([renewing, watching]);
  }
  const unreached = (last?.infos ?? []).filter((info) => info.error !== undefined && !info.unavailable);
  return { outcomes: finished, unreached, reached: last?.reached.length ?? 0 };

  /** Starts clusters that joined, stops those that left or are reached in another way now. Waits for neither. */
  function adapt({ reached }: Inventory): void {
    const present = new Map(reached.map((cluster) => [cluster.id, cluster]));
    for (const [id, entry] of running) {
      if (present.get(id)?.api !== entry.cluster.api) dismiss(id, entry);
    }
    for (const [id, cluster] of present) {
      if (!running.has(id)) running.set(id, begin(cluster));
    }
  }

  /** A catch-up is over soon, and has short watches. */
  function connectAnew(stoodStillMs: number): void {
    if (options.mode === 'catch-up' || until.aborted) return;
    const seconds = Math.round(stoodStillMs / 1000);
    const message = `This process stood still for ${seconds} s: all clusters are connected anew, and their streams go on where they were`;
    options.report({ severity: 'WARNING', message });
    // What is begun anew stands at the end of the map: it must not be met again.
    const before = [...running];
    for (const [id, entry] of before) {
      dismiss(id, entry);
      running.set(id, begin(entry.cluster));
    }
  }

  function dismiss(id: ClusterId, { cluster, leave, giveUp: own, done }: Running): void {
    running.delete(id);
    leave.abort(new Error(`cluster "${cluster.name}" left, or is connected to anew`));
    abortLater(own);
    const gone = done.then((outcomes) => {
      finished.push(...outcomes);
      if (leaving.get(id) === gone) leaving.delete(id);
    });
    leaving.set(id, gone);
  }

  function abortLater(controller: AbortController): void {
    clock.sleep(DRAIN_MS, over.signal).then(
      () => controller.abort(new Error(`publishing did not finish within ${DRAIN_MS / 1000} s`)),
      // The run ended before.
      () => undefined,
    );
  }

  function begin(cluster: ReachedCluster): Running {
    const leave = new AbortController();
    const own = new AbortController();
    const task = {
      cluster,
      discovery: options.discovery,
      wanted: options.wanted,
      stop: AbortSignal.any([until, leave.signal]),
      giveUp: AbortSignal.any([giveUp.signal, own.signal]),
    };
    // Where it is just leaving by another way, that comes to its end first.
    const before = leaving.get(cluster.id) ?? Promise.resolve();
    const run = before.then(() => runCluster(task, options));
    const done = run.catch((error: unknown) => {
      const message = `Stopped following cluster "${cluster.name}": ${messageOf(error)}`;
      options.report({ severity: 'ERROR', message, cluster: cluster.name });
      return [];
    });
    return { cluster, leave, giveUp: own, done };
  }
}

function nothingReached({ infos, problems }: Inventory): Mk8sError {
  const reasons = [
    ...infos.map((info) => `${info.name} (${info.server}): ${info.error ?? 'not tried'}`),
    ...problems.map(({ source, message }) => `${source}: ${message}`),
  ];
  const told = reasons.map((reason) => reason.replace(/\.$/, '')).join('; ');
  const message =
    infos.length === 0
      ? `No cluster was found. ${told === '' ? 'There is no kubeconfig (KUBECONFIG, ~/.kube/config), and this is not in a cluster' : told}. Name one with --kubeconfig, or try "mk8s run --source sandbox".`
      : `No cluster could be reached. ${told}. Check the addresses and credentials with "mk8s clusters".`;
  return new Mk8sError(message, { code: 'unreachable', retryable: true });
}

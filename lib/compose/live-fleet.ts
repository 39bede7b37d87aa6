// The fleet as discovery sees it just now, followed while the process lives, and the way into each of its clusters. Nothing that was
// not found here is ever connected to.
import { kubernetesDiscovery } from '../adapters/kubernetes/discovery-port.ts';
import { singleFlight } from '../async/single-flight.ts';
import { systemClock } from '../async/system-clock.ts';
import { untilAborted } from '../async/until-aborted.ts';
import type { Config } from '../config/options.ts';
import { followInventory } from '../discover/inventory.ts';
import type { Inventory } from '../discover/merge.ts';
import { Mk8sError, messageOf } from '../model/errors.ts';
import type { ClusterId } from '../model/stream.ts';
import type { ApiServer } from '../ports/api-server.ts';
import type { KeptInventory } from '../ports/inventory-store.ts';
import type { Context } from './context.ts';
import { discoverOnce } from './discover.ts';
import type { SharedGoogle } from './shared-google.ts';
import { type OpenedSources, openSources, REFRESH_MS } from './sources.ts';

/** How long the first answer may wait for clusters that do not answer, milliseconds; they are listed with the reason later. */
const FIRST_MS = 20_000;
/** Between two refreshes, milliseconds: within it the last one's answer serves. */
const REFRESH_PAUSE_MS = 5_000;

export interface LiveFleet {
  /** Starts discovery where it has not begun, and waits for its first complete answer. */
  read(signal: AbortSignal): Promise<KeptInventory>;
  /** Reads the sources and asks every cluster again. */
  refresh(signal: AbortSignal): Promise<KeptInventory>;
  /** The way into a cluster that discovery reached. Throws Mk8sError `unreachable` where there is none. */
  open(cluster: ClusterId, signal: AbortSignal): Promise<{ readonly api: ApiServer; readonly name: string }>;
  close(): Promise<void>;
}

/** Nothing is opened before it is first asked. */
export function liveFleet(config: Config, context: Context, google: SharedGoogle): LiveFleet {
  const over = new AbortController();
  const signal = AbortSignal.any([context.signal, over.signal]);
  const complete = Promise.withResolvers<void>();
  // Whoever asks meets the failure; where nobody does, it is nobody's.
  complete.promise.catch(() => undefined);
  let latest: { readonly inventory: Inventory; readonly at: number } | undefined;
  let opening: Promise<OpenedSources> | undefined;
  let refreshed: KeptInventory | undefined;

  /** One that failed is tried again by the next who asks. */
  function opened(): Promise<OpenedSources> {
    opening ??= openSources(config, { ...context, signal }, google).then(
      (sources) => {
        follow(sources).catch(complete.reject);
        return sources;
      },
      (error: unknown) => {
        opening = undefined;
        throw error;
      },
    );
    return opening;
  }

  async function follow({ sources }: OpenedSources): Promise<void> {
    const clock = systemClock;
    const surroundings = { discovery: kubernetesDiscovery, refreshMs: REFRESH_MS, clock, random: Math.random, signal };
    for await (const inventory of followInventory({ sources, ...surroundings })) {
      latest = { inventory, at: systemClock.now() };
      if (inventory.complete) complete.resolve();
    }
  }

  async function current(asked: AbortSignal): Promise<{ readonly inventory: Inventory; readonly at: number }> {
    await opened();
    const until = AbortSignal.any([asked, AbortSignal.timeout(FIRST_MS), signal]);
    try {
      await untilAborted(complete.promise, until);
    } catch (error) {
      asked.throwIfAborted();
      if (latest === undefined || signal.aborted) {
        throw new Mk8sError(`Cannot read the clusters: ${messageOf(error)}`, { code: 'unreachable', retryable: true });
      }
    }
    if (latest === undefined) throw new Error('The inventory is complete, and there is none.');
    return latest;
  }

  const again = singleFlight(async (asked) => {
    const sources = await opened();
    const { infos } = await discoverOnce(sources, asked);
    refreshed = { clusters: infos, at: systemClock.now() };
    return refreshed;
  });

  return {
    async read(asked) {
      const { inventory, at } = await current(asked);
      return { clusters: inventory.infos, at };
    },
    async refresh(asked) {
      const recent = refreshed !== undefined && systemClock.now() - refreshed.at < REFRESH_PAUSE_MS;
      return recent && refreshed !== undefined ? refreshed : await again(asked);
    },
    async open(cluster, asked) {
      const { inventory } = await current(asked);
      const found = inventory.reached.find(({ id }) => id === cluster);
      if (found !== undefined) return found;
      throw new Mk8sError(`Cannot reach cluster ${cluster}: discovery does not name it`, { code: 'unreachable' });
    },
    async close() {
      over.abort(new Error('the service ends'));
      await Promise.all((latest?.inventory.reached ?? []).map(({ api }) => api.close()));
      await (await opening?.catch(() => undefined))?.close();
    },
  };
}

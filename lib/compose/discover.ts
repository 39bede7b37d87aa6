// Discovery alone, for lists and plans.
import { kubernetesDiscovery } from '../adapters/kubernetes/discovery-port.ts';
import { systemClock } from '../async/system-clock.ts';
import type { Config } from '../config/options.ts';
import { followInventory } from '../discover/inventory.ts';
import type { Inventory } from '../discover/merge.ts';
import type { ClusterInfo, Problem } from '../model/cluster.ts';
import type { Context } from './context.ts';
import { withOwnGoogle } from './shared-google.ts';
import { type OpenedSources, openSources, REFRESH_MS } from './sources.ts';

/** Reads the sources once and tries every cluster once. `close` also ends the sandbox, where it is the source. */
export async function discoverClusters(
  config: Config,
  context: Context,
): Promise<{ clusters: readonly ClusterInfo[]; problems: readonly Problem[]; close(): Promise<void> }> {
  const opened = await withOwnGoogle(config, context, (google) => openSources(config, context, google));
  const { infos, problems } = await discoverOnce(opened, context.signal);
  return { clusters: infos, problems: [...opened.problems, ...problems], close: () => opened.close() };
}

/** Reads sources that are open. */
export async function discoverOnce(
  opened: Pick<OpenedSources, 'sources' | 'wish'>,
  signal: AbortSignal,
): Promise<Pick<Inventory, 'infos' | 'problems'>> {
  return await readInventory(opened, signal, (found) =>
    Promise.resolve({ infos: found?.infos ?? [], problems: found?.problems ?? [] }),
  );
}

/** The same, for `use`; connections to the clusters are open until it is done. */
export async function readInventory<T>(
  { sources, wish }: Pick<OpenedSources, 'sources' | 'wish'>,
  asked: AbortSignal,
  use: (inventory: Inventory | undefined) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const signal = AbortSignal.any([asked, over.signal]);
  let last: Inventory | undefined;
  const inventories = followInventory({
    sources,
    wish,
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
    return await use(last);
  } finally {
    over.abort(new Error('discovery ended'));
    await Promise.all((last?.reached ?? []).map(({ api }) => api.close()));
  }
}

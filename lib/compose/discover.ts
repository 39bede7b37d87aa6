// Discovery alone, for lists.
import { kubernetesDiscovery } from '../adapters/kubernetes/discovery-port.ts';
import { systemClock } from '../async/system-clock.ts';
import type { Config } from '../config/options.ts';
import { followInventory } from '../discover/inventory.ts';
import type { Inventory } from '../discover/merge.ts';
import type { ClusterInfo, Problem } from '../model/cluster.ts';
import type { ClusterSource } from '../ports/cluster-source.ts';
import type { Context } from './context.ts';
import { openSources, REFRESH_MS } from './sources.ts';

/** Reads the sources once and tries every cluster once. `close` also ends the sandbox, where it is the source. */
export async function discoverClusters(
  config: Config,
  context: Context,
): Promise<{ clusters: readonly ClusterInfo[]; problems: readonly Problem[]; close(): Promise<void> }> {
  const opened = await openSources(config, context);
  const { infos, problems } = await discoverOnce(opened.sources, context.signal);
  return { clusters: infos, problems: [...opened.problems, ...problems], close: () => opened.close() };
}

/** Reads sources that are open. */
export async function discoverOnce(
  sources: readonly ClusterSource[],
  asked: AbortSignal,
): Promise<Pick<Inventory, 'infos' | 'problems'>> {
  const over = new AbortController();
  const signal = AbortSignal.any([asked, over.signal]);
  let last: Inventory | undefined;
  const inventories = followInventory({
    sources,
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
  return { infos: last?.infos ?? [], problems: last?.problems ?? [] };
}

// What a run would amount to: the sources are read once, every cluster is asked what it serves, and nothing is followed.
import { kubernetesDiscovery } from '../adapters/kubernetes/discovery-port.ts';
import { startDeadline } from '../async/deadline.ts';
import { systemClock } from '../async/system-clock.ts';
import type { Config } from '../config/options.ts';
import type { ReachedCluster } from '../discover/merge.ts';
import type { Problem } from '../model/cluster.ts';
import { messageOf } from '../model/errors.ts';
import { formatGroupResource } from '../model/resource.ts';
import { type ClusterDemand, type FleetPlan, planFleet } from '../plan/fleet-plan.ts';
import { type Simulation, simulatedFleet } from '../plan/simulated-fleet.ts';
import { planStreams, streamsByTask } from '../plan/streams.ts';
import type { Context } from './context.ts';
import { readInventory } from './discover.ts';
import { wantedOf } from './run-settings.ts';
import { withOwnGoogle } from './shared-google.ts';
import { openSources } from './sources.ts';

/** Time for a cluster to say what it serves, milliseconds. */
const DISCOVERY_TIMEOUT_MS = 60_000;

export interface PlannedRun extends FleetPlan {
  /** Clusters that could not be asked, and what sources said. */
  readonly problems: readonly Problem[];
}

/** Plans for the clusters that the sources find. */
export async function planRun(config: Config, context: Context): Promise<PlannedRun> {
  const opened = await withOwnGoogle(config, context, (google) => openSources(config, context, google));
  try {
    return await readInventory(opened, context.signal, async (inventory) => {
      const answers = await Promise.all((inventory?.reached ?? []).map((each) => demandOf(each, config, context)));
      const unreached = (inventory?.infos ?? []).flatMap(({ name, error }) =>
        error === undefined ? [] : [{ source: name, message: `Cluster "${name}" is left out: ${error}` }],
      );
      const demands = answers.filter((answer) => 'streams' in answer);
      const problems = answers.filter((answer) => 'message' in answer);
      return {
        ...planFleet(demands, config.gateway, config.shard.count),
        problems: [...opened.problems, ...(inventory?.problems ?? []), ...unreached, ...problems],
      };
    });
  } finally {
    await opened.close();
  }
}

/** Plans for a fleet that does not exist. */
export function planSimulation(config: Config, simulation: Simulation): PlannedRun {
  return { ...planFleet(simulatedFleet(simulation), config.gateway, simulation.shards), problems: [] };
}

async function demandOf(
  { id, name, api }: ReachedCluster,
  config: Config,
  context: Context,
): Promise<ClusterDemand | Problem> {
  await api.quota?.admit(1, context.signal);
  const limit = startDeadline(systemClock, DISCOVERY_TIMEOUT_MS, context.signal);
  try {
    const { resources } = await kubernetesDiscovery.resources(api, { signal: limit.signal });
    const everything = { ...wantedOf(config), shard: { index: 0, count: 1 } };
    const planned = planStreams(id, resources, everything);
    const gateway = api.quota?.name;
    return {
      name,
      ...(gateway === undefined ? {} : { gateway }),
      resources: new Set([...planned.values()].map(({ info }) => formatGroupResource(info))).size,
      streams: streamsByTask(planned.keys(), config.shard.count),
    };
  } catch (error) {
    context.signal.throwIfAborted();
    const why = limit.expired ? `it did not answer within ${DISCOVERY_TIMEOUT_MS / 1000} s` : messageOf(error);
    return { source: name, message: `Cluster "${name}" is left out: ${why}` };
  } finally {
    limit.stop();
  }
}

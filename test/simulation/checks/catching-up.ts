// Promise 1, for runs that end by themselves: a stream that says it has caught up holds everything that was written before
// the run began.
import { compareResourceVersions } from '../../../lib/model/resource-version.ts';
import { type ObjectKey, objectKey } from '../../../lib/model/revision.ts';
import type { BridgeProcess } from '../bridge-process.ts';
import { type Model, nameOf } from '../model/model.ts';
import type { Check } from '../model/observer.ts';
import type { Written } from '../model/timeline.ts';

export function catchingUp(model: Model): Check {
  const started = new Map<BridgeProcess, number>();
  // A quiet watch is taken for current; one of a server that is behind its own store is not.
  const servers = model.faults.rate('cluster', 'cacheBehind') + model.faults.rate('cluster', 'restartStale');
  if (servers > 0 || model.settings.ignoreNoop) return {};
  return {
    onBridgeStart: (bridge) => void started.set(bridge, model.scheduler.now()),
    onBridgeEnd(bridge) {
      const since = started.get(bridge) ?? 0;
      started.delete(bridge);
      for (const { stream, end } of bridge.ended?.result?.outcomes ?? []) {
        const cluster = model.clusters.get(stream.cluster);
        if (end !== 'caught-up' || cluster === undefined || cluster.timeline.lives().length > 1) continue;
        const { namespace } = stream.selector;
        const newest = new Map<ObjectKey, Written>();
        const deletedSince = new Set<string>();
        for (const write of cluster.timeline.writes(stream)) {
          if (namespace !== undefined && !write.key.startsWith(`${namespace}/`)) continue;
          if (write.at < since) newest.set(write.key as ObjectKey, write);
          else if (write.type === 'delete') deletedSince.add(write.key);
        }
        for (const [key, write] of newest) {
          const last = model.record.of(stream).last.get(key);
          const [space = '', name = ''] = key.split('/');
          // What went after the run began need not have been seen by it.
          const went = write.type === 'delete' || deletedSince.has(key);
          const isGone = went && (last === undefined || last.type === 'delete');
          const isThere = last !== undefined && compareResourceVersions(last.asOf, write.resourceVersion) >= 0;
          if (isGone || isThere) continue;
          model.fail(
            1,
            `${bridge.process.name} says that ${nameOf(model, stream)} has caught up, and the ${write.type} of ${objectKey(space, name)} at ${write.resourceVersion}, from before it began, is not recorded`,
          );
        }
      }
    },
  };
}

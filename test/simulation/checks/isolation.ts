// Promise 8: where only other clusters have faults, what happens in a cluster is recorded and published within moments.

import { compareResourceVersions } from '../../../lib/model/resource-version.ts';
import type { Revision } from '../../../lib/model/revision.ts';
import { objectKey } from '../../../lib/model/revision.ts';
import { isFollowed, type KnownCluster, type Model, nameOf } from '../model/model.ts';
import type { Check } from '../model/observer.ts';
import type { StreamRecord } from '../model/record.ts';
import type { Written } from '../model/timeline.ts';

/** From a write to its record, and from its record to the checkpoint behind it, milliseconds of simulated time. */
const RECORDED_WITHIN_MS = 20_000;
const PUBLISHED_WITHIN_MS = 20_000;

export function isolation(model: Model): Check {
  const honest = [...model.clusters.values()].filter((cluster) => cluster.honest);
  if (!model.onlyClustersFail || honest.length === 0 || model.settings.ignoreNoop) return {};
  /** By resource: the first write that is not known to be recorded. */
  const next = new Map<string, number>();

  function check(cluster: KnownCluster, stream: StreamRecord): void {
    const now = model.scheduler.now();
    const { namespace } = stream.ref.selector;
    const writes = cluster.timeline.writes(stream.ref);
    let index = next.get(stream.key) ?? 0;
    for (; index < writes.length; index += 1) {
      const write = writes[index] as Written;
      const isOurs = namespace === undefined || write.key.startsWith(`${namespace}/`);
      if (!isOurs || isRecorded(stream, write)) continue;
      // What was overwritten need not be recorded.
      if (writes.slice(index + 1).some(({ key }) => key === write.key)) continue;
      if (now - write.at > RECORDED_WITHIN_MS) {
        const told = `the ${write.type} of ${write.key} at ${write.resourceVersion} of ${nameOf(model, stream.ref)}`;
        model.fail(8, `${told} is not recorded after ${now - write.at} ms, although only other clusters have faults`);
      }
      break;
    }
    next.set(stream.key, index);
    const unpublished = stream.revisions[stream.checkpoint?.published ?? 0];
    if (unpublished !== undefined && now - unpublished.observedAt > PUBLISHED_WITHIN_MS) {
      model.fail(
        8,
        `revision ${unpublished.sequence} of ${nameOf(model, stream.ref)} is not published after ${now - unpublished.observedAt} ms`,
      );
    }
  }

  return {
    onStep() {
      for (const cluster of honest) {
        for (const resource of cluster.truth.resources()) {
          if (!isFollowed(model.settings.wanted, resource) || model.settings.wanted.namespaces.length > 0) continue;
          check(
            cluster,
            model.record.of({
              ...resource,
              group: resource.group,
              plural: resource.plural,
              cluster: cluster.id,
              selector: {},
            }),
          );
        }
      }
    },
  };
}

function isRecorded(stream: StreamRecord, write: Written): boolean {
  const [namespace = '', name = ''] = write.key.split('/');
  const recorded: Revision | undefined = stream.last.get(objectKey(namespace, name));
  if (recorded === undefined) return write.type === 'delete';
  return (
    compareResourceVersions(recorded.asOf, write.resourceVersion) >= 0 ||
    (write.type === 'delete' && recorded.type === 'delete')
  );
}

// Revisions to publish: what tests of sinks need of one, the rest filled in.
import { resourceVersion } from '../../lib/model/resource-version.ts';
import type { ChangeType, Revision } from '../../lib/model/revision.ts';
import { clusterId } from '../../lib/model/stream.ts';

/** The `sequence`-th change of widget `name` in namespace `team-a` of a stream of cluster `c-1`. */
export function widgetRevision(
  sequence: number,
  name: string,
  {
    type = 'update',
    object = `{"metadata":{"name":${JSON.stringify(name)}}}`,
  }: { type?: ChangeType; object?: string } = {},
): Revision {
  const at = resourceVersion(String(100 + sequence));
  return {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    namespace: 'team-a',
    name,
    uid: `uid-of-${name}`,
    resourceVersion: at,
    asOf: at,
    manager: 'kubectl',
    object: Buffer.from(object, 'utf8'),
    type,
    origin: 'watch',
    observedAt: Date.UTC(2026, 0, 1),
    stream: { cluster: clusterId('c-1'), group: 'example.com', plural: 'widgets', selector: {} },
    epoch: 1,
    sequence,
    position: sequence,
    previous: 0,
  };
}

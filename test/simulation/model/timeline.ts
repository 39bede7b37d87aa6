// What really happened in a cluster: its writes in order, and which of them lie on the timeline of each life of its data.
// A restore from a backup begins a life that shares the past of the one before up to some resourceVersion.
import { formatGroupResource, type GroupResource } from '../../../lib/model/resource.ts';
import { compareResourceVersions, type ResourceVersion, resourceVersion } from '../../../lib/model/resource-version.ts';
import type { ClusterTruth, Truth } from '../server/truth.ts';

/** One write. */
export interface Written {
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: ResourceVersion;
  readonly type: Truth['type'];
  readonly life: number;
  readonly at: number;
  /** The object as it should be recorded where this version was served. */
  readonly text: Truth['text'];
}

export interface Timeline {
  /** All writes to a resource, in the order in which they were made. */
  writes(resource: GroupResource): readonly Written[];
  /** Writes of one object, by uid. */
  ofObject(resource: GroupResource, uid: string): readonly Written[];
  /** All lives so far. */
  lives(): readonly number[];
  /** Whether a write is part of a life's past. */
  isIn(life: number, write: Pick<Written, 'life' | 'resourceVersion'>): boolean;
  /** The resourceVersion at which a life left its parent's past; undefined for the first. */
  forkOf(life: number): ResourceVersion | undefined;
}

interface Resource {
  readonly writes: Written[];
  readonly byUid: Map<string, Written[]>;
}

export function createTimeline(truth: ClusterTruth): Timeline {
  const resources = new Map<string, Resource>();
  let read = 0;

  /** Takes in what was written since the last look. */
  function look(resource: GroupResource): Resource {
    const history = truth.history();
    for (; read < history.length; read += 1) {
      const write = history[read] as Truth;
      const { writes, byUid } = of(formatGroupResource(write.resource));
      const { key, uid, type, life, at, text } = write;
      const entry = { key, uid, type, life, at, text, resourceVersion: resourceVersion(write.resourceVersion) };
      writes.push(entry);
      const known = byUid.get(uid);
      if (known === undefined) byUid.set(uid, [entry]);
      else known.push(entry);
    }
    return of(formatGroupResource(resource));
  }

  function of(name: string): Resource {
    let found = resources.get(name);
    if (found === undefined) resources.set(name, (found = { writes: [], byUid: new Map() }));
    return found;
  }

  function forkOf(life: number): ResourceVersion | undefined {
    const at = truth.lives().find((each) => each.life === life)?.at;
    return at === undefined ? undefined : resourceVersion(at);
  }

  function isIn(life: number, write: Pick<Written, 'life' | 'resourceVersion'>): boolean {
    if (truth.lives().length === 1) return true;
    let current = truth.lives().find((each) => each.life === life);
    let most: ResourceVersion | undefined;
    while (current !== undefined) {
      if (current.life === write.life)
        return most === undefined || compareResourceVersions(write.resourceVersion, most) <= 0;
      if (current.parent === undefined || current.at === undefined) return false;
      const at = resourceVersion(current.at);
      if (most === undefined || compareResourceVersions(at, most) < 0) most = at;
      const { parent } = current;
      current = truth.lives().find((each) => each.life === parent);
    }
    return false;
  }

  return {
    writes: (resource) => look(resource).writes,
    ofObject: (resource, uid) => look(resource).byUid.get(uid) ?? [],
    lives: () => truth.lives().map(({ life }) => life),
    isIn,
    forkOf,
  };
}

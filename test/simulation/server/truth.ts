// What really happened to a cluster's data, for the model that runs are checked against.
import type { GroupResource } from '../../../lib/model/resource.ts';
import { keyOf, nameOf, objectText, type SimObject, type SimResource } from './sim-object.ts';
import type { Store, Written } from './store.ts';

/** One write. */
export interface Truth {
  readonly resource: GroupResource;
  /** `NAMESPACE/NAME`; `/NAME` for cluster-scoped objects. */
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly type: 'add' | 'update' | 'delete';
  /** As served in this version, without managedFields; of a deletion the last state, with the deletion's resourceVersion. */
  readonly text: (version: string) => string;
  readonly labels: Readonly<Record<string, string>>;
  readonly life: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A timeline of the data: a restore ends one and begins the next, which shares the past up to `at`. */
interface Life {
  readonly life: number;
  readonly parent?: number;
  readonly at?: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** A CRD that came or went. (A restore may change this too: see `lives`.) */
interface Definition {
  readonly resource: GroupResource;
  readonly type: 'made' | 'deleted';
  readonly resourceVersion: string;
  readonly life: number;
  readonly at: number;
}

interface Present {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly text: (version: string) => string;
}

export interface ClusterTruth {
  present(resource: GroupResource): ReadonlyMap<string, Present>;
  /** Resources that exist now: built in, or with a CRD. */
  resources(): readonly GroupResource[];
  /** The versions that are served of it now, the preferred one first; none where its CRD is gone. */
  versions(resource: GroupResource): readonly string[];
  /** Every write ever made to an object of these resources, in order; undone ones too. */
  history(): readonly Truth[];
  lives(): readonly Life[];
  definitions(): readonly Definition[];
  readonly resourceVersion: string;
  /** The last life in which a list of the resource was answered that is as of this resourceVersion. */
  listedIn(resource: GroupResource, resourceVersion: string): number | undefined;
}

const types = { ADDED: 'add', MODIFIED: 'update', DELETED: 'delete' } as const;

export interface TruthKeeper extends ClusterTruth {
  readonly onDefinition: (resource: SimResource, type: 'made' | 'deleted') => void;
  onRestore(to: number): void;
}

export function createTruth(
  store: Store,
  resources: readonly SimResource[],
  served: (resource: SimResource) => readonly string[],
  now: () => number,
): TruthKeeper {
  const names = new Map(resources.map((resource) => [nameOf(resource), resource]));
  const lives: Life[] = [{ life: 1, since: now() }];
  const definitions: Definition[] = [];
  const history: Truth[] = [];
  let read = 0;
  return {
    present(resource) {
      const objects = store.tables.get(nameOf(resource))?.objects ?? new Map<string, SimObject>();
      return new Map([...objects].map(([key, object]) => [key, presentOf(object)]));
    },
    resources: () => resources.filter((resource) => served(resource).length > 0),
    versions(resource) {
      const own = names.get(nameOf(resource));
      return own === undefined ? [] : served(own);
    },
    history() {
      for (; read < store.written.length; read += 1) {
        const write = store.written[read] as Written;
        if (names.has(nameOf(write.resource))) history.push(truthOf(write));
      }
      return history;
    },
    lives: () => lives,
    definitions: () => definitions,
    get resourceVersion() {
      return String(store.rv);
    },
    listedIn: (resource, resourceVersion) => store.listedIn(nameOf(resource), resourceVersion),
    onDefinition(resource, type) {
      definitions.push({ resource, type, resourceVersion: String(store.rv), life: store.life, at: now() });
    },
    onRestore(to) {
      lives.push({ life: store.life, parent: store.life - 1, at: String(to), since: now() });
    },
  };
}

function presentOf(object: SimObject): Present {
  return { uid: object.uid, resourceVersion: String(object.rv), text: (version) => objectText(object, version, false) };
}

function truthOf({ resource, object, type, life, at }: Written): Truth {
  const key = keyOf(object);
  return { ...presentOf(object), resource, key, type: types[type], labels: object.labels, life, at };
}

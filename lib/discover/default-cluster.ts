// Which cluster is the default where nothing else says: no context is current, and this is not a pod.
import { gkeNameOf, placeInName } from '../model/gke-name.ts';

/** What is known of the wish; all of it may be absent. */
export interface DefaultWish {
  /** `gke://PROJECT/LOCATION/NAME` or its link, `cluster://NAME` (part of a name), or a whole name. */
  readonly named?: string | undefined;
  /** Of Google Cloud, where this process runs. */
  readonly region?: string | undefined;
}

/** What is asked of a cluster. */
interface Choosable {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly isDefault: boolean;
  /** Region or zone; where it is absent, the name may say it. */
  readonly location?: string;
  /** Why it cannot be used. */
  readonly unavailable?: string | undefined;
}

/** Looked for in names where no other is wished for: the customary name of a mesh's config cluster. */
const CUSTOMARY = 'istio';

/**
 * The cluster that says of itself that it is the default; else the one that is named (and no other in its place); else of
 * those that a platform placed: in the same region and of the name, in the same region, of the name, any. Of several
 * the first by name, so that the order in which they were found does not matter. Without a placed one: the only one.
 */
export function chooseDefault<T extends Choosable>(clusters: readonly T[], wish: DefaultWish): T | undefined {
  const { region } = wish;
  const current = clusters.find(({ isDefault }) => isDefault);
  if (current !== undefined) return current;
  const part = partOf(wish.named);
  if (wish.named !== undefined && part === undefined) {
    const whole = wholeName(wish.named);
    return clusters.find(({ name, aliases = [] }) => name === whole || aliases.includes(whole));
  }
  const usable = clusters.filter(({ unavailable }) => unavailable === undefined);
  const placed = usable
    .filter((cluster) => placeOf(cluster) !== undefined)
    .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const near = placed.filter((cluster) => region !== undefined && isIn(placeOf(cluster), region));
  const ofTheName = ({ name }: T): boolean => name.includes(part ?? CUSTOMARY);
  return (
    near.find(ofTheName) ??
    near[0] ??
    placed.find(ofTheName) ??
    placed[0] ??
    (usable.length === 1 ? usable[0] : undefined)
  );
}

/** Why nothing is the default although one was named, as a sentence; undefined where all is well. */
export function unmetWish(clusters: readonly Choosable[], wish: DefaultWish): string | undefined {
  if (wish.named === undefined || partOf(wish.named) !== undefined || chooseDefault(clusters, wish)) return undefined;
  const named = wish.named.includes('//') ? wish.named : `"${wish.named}"`;
  return `The default cluster should be ${named} (--default-cluster, MESH_URL), which no source names: add one with --source, e.g. a gke:// URL`;
}

function partOf(named: string | undefined): string | undefined {
  return /^cluster:\/\/([^/]+)\/?$/.exec(named ?? '')?.[1];
}

/** What the gke source calls a cluster that is named by URL; any other name is one already. */
function wholeName(named: string): string {
  const found = gkeNameOf(named);
  return found === undefined ? named : `gke_${found.project}_${found.location}_${found.name}`;
}

/** Contexts that gcloud writes have the place in their names. */
function placeOf({ name, location }: Choosable): string | undefined {
  return location ?? placeInName(name)?.location;
}

/** A zone is in its region: `us-central1-a` in `us-central1`. */
function isIn(place: string | undefined, region: string): boolean {
  return place === region || place?.startsWith(`${region}-`) === true;
}

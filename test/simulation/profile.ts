// What a seed stands for, in words: a failure is kept as its profile, so that it means the same when the drawing of profiles
// has changed since.
import type { BridgeSettings } from './bridge-process.ts';
import { clusterFaults, drawFaults, type FaultRates } from './faults.ts';
import { createDice, type Dice } from './random.ts';

export type StoreKind = 'disk' | 'firestore';

export interface Profile {
  /** Of all dice. */
  readonly seed: number;
  readonly rates: FaultRates;
  readonly clusters: number;
  /** The last cluster has no faults of its own. */
  readonly honest: boolean;
  /** Custom resources of each cluster. */
  readonly resources: number;
  /** Objects of a resource, at most. */
  readonly objects: number;
  /** Things that happen before all becomes calm. */
  readonly steps: number;
  /** Between two of them, milliseconds on average. */
  readonly pace: number;
  readonly sinks: number;
  readonly tails: number;
  /** Writes to each cluster once all is calm: without them, what is stuck must come loose by itself. */
  readonly lateWrites: number;
  readonly pageBytes: number;
  /** Absent, in what was kept before there was a choice: on disk. */
  readonly store?: StoreKind;
  readonly settings: BridgeSettings;
}

/** Most worlds are small, so that there may be many; some are large, for what only shows in them. */
const sizes = [
  { share: 0.6, clusters: [1, 1, 2], resources: [1, 1, 2], objects: [2, 4, 8], steps: [4, 8, 15], tails: [0, 0, 1] },
  { share: 0.3, clusters: [1, 2, 2], resources: [1, 2], objects: [3, 8], steps: [15, 30], tails: [0, 1, 2] },
  { share: 0.1, clusters: [1, 2, 3], resources: [1, 2, 3], objects: [8, 20], steps: [30, 80], tails: [1, 2] },
] as const;

/** A share of all worlds. */
const IN_FIRESTORE = 0.25;

/** What a seed stands for. `store`: that one, whatever it draws. */
export function drawProfile(seed: number, store?: StoreKind): Profile {
  const dice = createDice(seed).fork('profile');
  const all = drawFaults(dice.fork('faults'));
  let left = dice.next();
  const size = sizes.find(({ share }) => (left -= share) < 0) ?? sizes[0];
  const clusters = dice.pick<number>(size.clusters);
  const honest = clusters > 1 && dice.chance(0.7);
  const drawn: StoreKind = dice.fork('store').chance(IN_FIRESTORE) ? 'firestore' : 'disk';
  const profile: Profile = {
    seed,
    // Where a cluster must not notice another one's faults, nothing else may disturb it.
    rates: honest && dice.chance(0.3) ? clusterFaults(all) : all,
    clusters,
    honest,
    resources: dice.pick<number>(size.resources),
    objects: dice.pick<number>(size.objects),
    steps: dice.pick<number>(size.steps),
    pace: dice.pick([100, 1_000, 4_000, 10_000]),
    sinks: dice.pick([0, 1, 1, 1, 2]),
    tails: dice.pick<number>(size.tails),
    lateWrites: dice.pick([0, 0, 1, 5]),
    pageBytes: dice.pick([1, 2_000, 1024 * 1024]),
    settings: drawSettings(dice.fork('settings')),
  };
  return withStore(profile, store ?? drawn);
}

/** Firestore has no feed: nothing tails there. */
function withStore(profile: Profile, store: StoreKind): Profile {
  return store === 'disk' ? { ...profile, store } : { ...profile, store, tails: 0 };
}

function drawSettings(dice: Dice): BridgeSettings {
  return {
    wanted: {
      resources: dice.chance(0.25) ? ['widgets.example.com', 'gadgets.example.com', 'secrets'] : [],
      excludeResources: [],
      namespaces: dice.chance(0.15) ? ['team', 'team-a'] : [],
      shard: { index: 0, count: 1 },
    },
    mode: 'follow',
    ignoreNoop: dice.chance(0.1),
    memory: dice.pick([4 * 1024, 64 * 1024, 1024 * 1024]),
    syncs: dice.pick([1, 2, 8]),
    watchSeconds: dice.pick([
      [300, 600],
      [300, 600],
      [20, 60],
    ] as const),
    retention: dice.chance(0.2) ? { maxRevisionsPerObject: 1 + dice.int(3) } : undefined,
    status: dice.chance(0.15),
    gateway: drawGateway(dice.fork('gateway')),
  };
}

/** Fewer streams than there are to follow, most of the time. */
function drawGateway(dice: Dice): BridgeSettings['gateway'] {
  if (!dice.chance(0.15)) return undefined;
  return { streams: dice.pick([1, 1, 2, 3]), requestsPerMinute: dice.pick([120, 2_400]) };
}

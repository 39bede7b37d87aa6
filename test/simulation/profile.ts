// What a seed stands for, in words: a failure is kept as its profile, so that it means the same when the drawing of profiles
// has changed since.
import type { BridgeSettings } from './bridge-process.ts';
import { clusterFaults, drawFaults, type FaultRates } from './faults.ts';
import { createDice, type Dice } from './random.ts';

export interface Profile {
  /** Of all dice. */
  readonly seed: number;
  readonly rates: FaultRates;
  readonly clusters: number;
  /** The first cluster has no faults of its own. */
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
  readonly settings: BridgeSettings;
}

export function drawProfile(seed: number): Profile {
  const dice = createDice(seed).fork('profile');
  const all = drawFaults(dice.fork('faults'));
  const clusters = dice.pick([1, 1, 1, 2, 2, 3]);
  const honest = clusters > 1 && dice.chance(0.7);
  return {
    seed,
    // Where a cluster must not notice another one's faults, nothing else may disturb it.
    rates: honest && dice.chance(0.3) ? clusterFaults(all) : all,
    clusters,
    honest,
    resources: dice.pick([1, 1, 2, 3]),
    objects: dice.pick([3, 3, 8, 20]),
    steps: dice.pick([8, 15, 15, 30, 30, 80]),
    pace: dice.pick([100, 1_000, 4_000, 10_000]),
    sinks: dice.pick([0, 1, 1, 1, 2]),
    tails: dice.pick([0, 0, 1, 1, 2]),
    lateWrites: dice.pick([0, 0, 1, 5]),
    pageBytes: dice.pick([1, 2_000, 1024 * 1024]),
    settings: drawSettings(dice.fork('settings')),
  };
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
  };
}

// What an act has to work with, and what it says when it is over.
import type { Chance } from './chance.ts';
import type { Damage } from './damage.ts';
import type { CrashWorld } from './world.ts';

export interface Scene {
  readonly world: CrashWorld;
  readonly chance: Chance;
  /** Counts kills and the like by kind. */
  readonly damage: Damage;
  /** Sets the workload going; done already unless the act begins at rest. */
  busy(): void;
}

export interface Told {
  /** What was done, for the round's line. */
  readonly what: string;
  /** Programs may end by themselves in this act, as an operator would see it too. */
  readonly mayEnd?: boolean;
  readonly restored?: Restored;
}

export interface Restored {
  /** The cluster's identity. */
  readonly cluster: string;
  /** True where in each resource an object goes back that is not touched again: each stream has to begin an epoch. */
  readonly witnessed: boolean;
  /** Of each resource's stream (`PLURAL.GROUP`), before. */
  readonly epochs: ReadonlyMap<string, number>;
}

/** Does something, in half of the cases while no bridge runs; says which. */
export async function maybeWithoutBridge(
  { world, chance, damage }: Scene,
  work: () => Promise<void>,
): Promise<'' | ' while the bridge was away'> {
  const away = chance.maybe();
  if (away) {
    await world.bridge.kill();
    damage.count('bridge killed');
  }
  await work();
  if (!away) return '';
  world.bridge.start();
  return ' while the bridge was away';
}

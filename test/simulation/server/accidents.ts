// What happens to a cluster beside ordinary writes: its processes, its definitions, its data, its credentials.
import type { Dice } from '../random.ts';
import type { SimCredentials } from './credentials.ts';
import type { DefinitionWriter } from './definitions.ts';
import type { FaultDice } from './fault-dice.ts';
import type { Fleet } from './fleet.ts';
import { keyOf, nameOf, type SimResource } from './sim-object.ts';
import type { Store, Table } from './store.ts';
import type { After } from './timers.ts';
import type { Workload } from './workload.ts';

export interface AccidentWorld {
  readonly store: Store;
  readonly fleet: Fleet;
  readonly dice: Dice;
  readonly faults: FaultDice;
  readonly after: After;
  readonly credentials: SimCredentials;
  readonly definitions: DefinitionWriter;
  readonly workload: Workload;
  readonly resources: readonly SimResource[];
  readonly tables: readonly Table[];
  readonly now: () => number;
  readonly onDefinition: (resource: SimResource, type: 'made' | 'deleted') => void;
  readonly onRestore: (from: number, to: number) => void;
}

/** Sets of versions that a definition may serve, the preferred one first. */
const servedSets = [['v1'], ['v2', 'v1'], ['v2'], ['v1', 'v1beta1'], ['v1beta1']] as const;

/** Lets everything happen whose dice say so. */
export function accidents(world: AccidentWorld): void {
  processAccidents(world);
  definitionAccidents(world);
  const { faults, store, credentials, workload, tables } = world;
  const compaction = faults.strikes('cluster', 'compaction');
  if (compaction !== undefined) store.compacted = Math.max(store.compacted, store.rv - compaction.int(10));
  if (faults.strikes('cluster', 'credentialsRotated') !== undefined) {
    const refused = faults.strikes('cluster', 'freshRefused');
    credentials.rotate(refused === undefined ? 0 : world.now() + refused.int(60_000));
  }
  const recreated = faults.strikes('cluster', 'recreated');
  if (recreated !== undefined) workload.recreate(recreated.pick(tables));
  const back = faults.strikes('cluster', 'restoreBack');
  if (back !== undefined) restore(world, back, false);
  const past = faults.strikes('cluster', 'restorePast');
  if (past !== undefined) restore(world, past, true);
}

function processAccidents({ faults, fleet, resources }: AccidentWorld): void {
  const fresh = faults.strikes('cluster', 'restartFresh');
  if (fresh !== undefined) fleet.restart(fresh);
  const stale = faults.strikes('cluster', 'restartStale');
  if (stale !== undefined) fleet.restart(stale, 1 + stale.int(30_000));
  const behind = faults.strikes('cluster', 'cacheBehind');
  if (behind !== undefined) fleet.lag(behind, 1 + behind.int(30_000));
  const denied = faults.strikes('cluster', 'denied');
  if (denied !== undefined) fleet.deny(nameOf(denied.pick(resources)), 1_000 + denied.int(300_000));
  const down = faults.strikes('cluster', 'aggregatedDown');
  if (down !== undefined) fleet.failAggregated(1_000 + down.int(120_000));
  const outage = faults.strikes('cluster', 'outage');
  if (outage !== undefined) fleet.cut(outage.chance(0.5) ? 'refused' : 'silent', 500 + outage.int(120_000));
}

function definitionAccidents(world: AccidentWorld): void {
  const { faults, definitions, dice, after, resources } = world;
  const custom = resources.filter(({ origin }) => origin === 'custom');
  if (custom.length === 0) return;
  const changed = faults.strikes('cluster', 'definitionChanged');
  if (changed !== undefined) {
    const resource = changed.pick(custom);
    definitions.change(resource, definitions.of(resource)?.served ?? []);
  }
  const labelled = faults.strikes('cluster', 'definitionLabelled');
  if (labelled !== undefined) definitions.label(labelled.pick(custom));
  const version = faults.strikes('cluster', 'versionChanged');
  if (version !== undefined) definitions.change(version.pick(custom), version.pick(servedSets));
  const remade = faults.strikes('cluster', 'definitionRemade');
  if (remade !== undefined) {
    const resource = remade.pick(custom);
    removeDefinition(world, resource);
    after(remade.int(3_000), () => makeDefinition(world, resource));
  }
  const deleted = faults.strikes('cluster', 'definitionDeleted');
  if (deleted !== undefined) removeDefinition(world, deleted.pick(custom));
  for (const resource of custom) {
    if (dice.chance(0.03) && definitions.of(resource) === undefined) makeDefinition(world, resource);
  }
}

function removeDefinition({ definitions, onDefinition }: AccidentWorld, resource: SimResource): void {
  if (definitions.of(resource) === undefined) return;
  definitions.remove(resource);
  onDefinition(resource, 'deleted');
}

function makeDefinition({ definitions, onDefinition }: AccidentWorld, resource: SimResource): void {
  if (definitions.of(resource) !== undefined) return;
  definitions.create(resource, resource.versions);
  onDefinition(resource, 'made');
}

/** All processes stop, the data is as in a backup, and they start again. */
function restore(world: AccidentWorld, dice: Dice, past: boolean): void {
  const { store, fleet, workload, onRestore } = world;
  const from = store.rv;
  const to = Math.max(store.first, from - 1 - dice.int(dice.chance(0.5) ? 10 : 60));
  if (to >= from) return;
  // etcd and the API servers are stopped, the data is put back, and all of them are started again.
  const down = 16_000 + dice.int(20_000);
  fleet.stopAll();
  const undone = store.restore(to);
  onRestore(from, to);
  finishDeletions(world);
  if (past) {
    for (const { table, type, object } of undone) {
      while (store.rv < object.rv - 1) store.skip();
      const now = table.objects.get(keyOf(object));
      const again = store.rv === object.rv - 1 && type === 'MODIFIED' && now?.uid === object.uid;
      if (again && world.tables.includes(table) && dice.chance(0.5)) workload.change(table, now);
      else if (dice.chance(0.5)) writeSomething(world, dice);
    }
    while (store.rv <= from) writeSomething(world, dice);
  }
  fleet.startAll(down);
}

/** A backup in the middle of a definition's deletion: what was begun goes on. */
function finishDeletions(world: AccidentWorld): void {
  for (const resource of world.resources) {
    if (resource.origin === 'custom' && world.definitions.of(resource)?.deleting !== undefined) {
      removeDefinition(world, resource);
    }
  }
}

function writeSomething({ store, workload, tables, definitions }: AccidentWorld, dice: Dice): void {
  const table = dice.pick(tables);
  if (table.resource.origin === 'custom' && definitions.of(table.resource) === undefined) store.skip();
  else workload.write(table);
}

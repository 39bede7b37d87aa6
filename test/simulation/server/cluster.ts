// A simulated Kubernetes cluster: data, API server processes, and the ways to them. Small and fast, so that a hundred
// thousand runs are affordable; what it sends and when follows recordings of real servers. Driven by a simulated clock and
// by dice only. What its faults are and where they were seen: fault-rates.ts.
//
// Planted, and never to be seen anywhere: tokens (PLANTED-TOKEN-…) and the data of Secrets (base64 of PLANTED-SECRET-…).
import type { ApiServer } from '../../../lib/ports/api-server.ts';
import type { Clock } from '../../../lib/ports/clock.ts';
import type { Dice } from '../random.ts';
import { type AccidentWorld, accidents } from './accidents.ts';
import type { Tells } from './answers.ts';
import type { Body } from './body.ts';
import { createCredentials } from './credentials.ts';
import { createDefinitionWriter, definitionsResource, newUid } from './definitions.ts';
import { createFaultDice, type FaultDice } from './fault-dice.ts';
import type { ServerFaultRates } from './fault-rates.ts';
import { createFleet } from './fleet.ts';
import { openNetwork } from './network.ts';
import { answer, type RouteWorld, type StreamingLists } from './routes.ts';
import type { SimResource } from './sim-object.ts';
import { Store } from './store.ts';
import { createTimers } from './timers.ts';
import { type ClusterTruth, createTruth } from './truth.ts';
import { createWorkload } from './workload.ts';

export interface SimCluster {
  /** Of the namespace kube-system: the cluster's id. */
  readonly uid: string;
  readonly name: string;
  /** A way to the cluster for one process; any number of addresses may lead to it. It has credentials of its own. */
  connect(peer: { readonly address: string; readonly dice: Dice }): ApiServer;
  /** Nobody answers there any more, and what is open there breaks or falls silent; other addresses are as before. */
  closeAddress(address: string, how: 'refused' | 'silent'): void;
  /** One step of what happens to a cluster: a write or a few, and what the dice of its faults say. */
  step(): void;
  /** Faults and outages end; what it answers from now on is what it has. Half-open connections stay what they are. */
  calm(): void;
  readonly truth: ClusterTruth;
  /** What readers were told with all bytes handed out: `PLURAL.GROUP UID RV`, of events followed by ` ADDED` and so on. */
  readonly served: { readonly events: ReadonlySet<string>; readonly listed: ReadonlySet<string> };
  /** Every token that was ever valid. */
  readonly tokens: ReadonlySet<string>;
  openConnections(): number;
  /** Bytes of bodies that were produced and not yet taken. */
  outstandingBytes(): number;
  /** `area.fault` for each fault that struck, `request.KIND`, `status.CODE` and others. */
  readonly counters: Readonly<Record<string, number>>;
}

export interface SimClusterOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly rates: ServerFaultRates;
  readonly resources: readonly SimResource[];
  /** Objects of each resource: at the start half of them, later at most so many. Default 15. */
  readonly objects?: number;
}

export function createSimCluster(options: SimClusterOptions): SimCluster {
  const { name, clock, dice, rates, resources, objects = 15 } = options;
  const counters: Record<string, number> = {};
  const count = (what: string): void => {
    counters[what] = (counters[what] ?? 0) + 1;
  };
  const now = (): number => clock.now();
  const after = createTimers(clock);
  const faults = createFaultDice(dice.fork('faults'), rates, count);
  const credentials = createCredentials(dice.fork('credentials'), now);
  const bodies = new Set<Body>();
  const closed = new Map<string, 'refused' | 'silent'>();
  const served = { events: new Set<string>(), listed: new Set<string>() };
  const own = dice.fork('cluster');
  const uid = newUid(own);

  const store = new Store(100 + own.int(900), now);
  const definitions = createDefinitionWriter(store, store.addTable(definitionsResource), dice.fork('definitions'), now);
  const tables = resources.map((resource) => store.addTable(resource));
  const truth = createTruth(store, resources, versionsOf, now);
  function versionsOf(resource: SimResource): readonly string[] {
    return resource.origin === 'custom' ? (definitions.of(resource)?.served ?? []) : resource.versions;
  }
  const workload = createWorkload(store, dice.fork('workload'), now, objects);
  for (const resource of resources) if (resource.origin === 'custom') definitions.create(resource, resource.versions);
  store.first = store.rv;
  for (const table of tables) for (let left = own.int(objects); left > 0; left -= 1) workload.create(table);

  const shape = shapeOf(own, faults);
  const fleet = createFleet({ ...shape, store, resources, definitions, bodies, dice: dice.fork('fleet'), now, after });
  store.onWrite = fleet.announce;
  const routes: RouteWorld = {
    ...shape,
    uid,
    store,
    dice: dice.fork('answers'),
    faults,
    after,
    now,
    count,
    isDenied: (resource) => fleet.isDenied(resource),
    // Not to definitions, and not to what has none any more.
    write(table) {
      if (tables.includes(table) && versionsOf(table.resource).length > 0) workload.write(table);
    },
  };
  const accidentWorld: AccidentWorld = {
    store,
    fleet,
    dice: dice.fork('accidents'),
    faults,
    after,
    credentials,
    definitions,
    workload,
    resources,
    tables,
    now,
    onDefinition: truth.onDefinition,
    onRestore: (_, to) => truth.onRestore(to),
  };
  const steps = dice.fork('steps');

  return {
    uid,
    name,
    truth,
    served,
    counters,
    tokens: credentials.planted,
    openConnections: () => bodies.size,
    outstandingBytes: () => [...bodies].reduce((sum, { held }) => sum + held, 0),
    connect: ({ address, dice: peer }) =>
      openNetwork({
        name,
        address,
        clock,
        dice: peer,
        faults,
        after,
        credentials,
        reach: () => fleet.reach(peer),
        cutOff: () => closed.get(address) ?? fleet.cutOff,
        answer: (request, process) => answer(request, process, routes),
        bodies,
        count,
        onTold: ({ how, what }: Tells) => void (how === 'event' ? served.events : served.listed).add(what),
      }),
    closeAddress(address, how) {
      closed.set(address, how);
      for (const body of bodies) if (body.server === address) body.cut(how);
    },
    step() {
      count('step');
      accidents(accidentWorld);
      const writable = tables.filter(({ resource }) => versionsOf(resource).length > 0);
      const writes = steps.chance(0.1) ? steps.int(8) : steps.int(3);
      for (let left = writes; left > 0 && writable.length > 0; left -= 1) workload.write(steps.pick(writable));
    },
    calm() {
      faults.calm();
      fleet.calm();
    },
  };
}

/** What kind of cluster it is: its version, its size, its memory. Stays so. */
function shapeOf(dice: Dice, faults: FaultDice) {
  const refused = faults.strikes('watch', 'streamingRefused');
  const ignored = faults.strikes('watch', 'streamingIgnored');
  // Many clusters are older than streaming lists; that is no fault.
  const old = dice.pick(['off', 'unknown', 'served', 'served', 'served', 'served'] as const);
  const streamingLists: StreamingLists =
    refused !== undefined ? refused.pick(['off', 'unknown'] as const) : ignored !== undefined ? 'ignored' : old;
  return {
    streamingLists,
    aggregatedDiscovery: streamingLists !== 'unknown' && dice.chance(0.9),
    size: dice.chance(0.3) ? 2 : 1,
    window: dice.pick([5, 20, 100]),
    pageLimit: dice.pick([1, 2, 3, 5, 500]),
  };
}

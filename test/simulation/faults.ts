// The faults of one seed, each with a rate of its own. Swarm style: a seed switches a random part of them on, some seeds
// have one fault alone, some none, so that rare combinations are met and no fault hides another.
import type { Dice } from './random.ts';
import { serverFaults } from './server/fault-rates.ts';

/** The highest rate that a seed may give a fault: a share of the calls, batches or steps that it may strike. */
const mostRates = {
  ...serverFaults,
  store: {
    /** A call fails and nothing was written. */
    appendFails: 0.15,
    /** It was written, and the caller is told that it failed. */
    appendFailsAfter: 0.25,
    /** Only some calls of one group commit fail. */
    groupPartly: 0.2,
    appendSlow: 0.3,
    checkpointFails: 0.2,
    checkpointFailsAfter: 0.2,
    leaseFails: 0.2,
    leaseFailsAfter: 0.2,
    subscriptionFails: 0.2,
    subscriptionFailsAfter: 0.2,
    readFails: 0.05,
    statusFails: 0.2,
    /** The disk fills: every write is refused until there is room again. A share of steps. */
    diskFills: 0.1,
  },
  sink: {
    /** A share of steps: down for a while. */
    down: 0.1,
    slow: 0.3,
    /** All of a batch arrived, and the caller is told that it failed. */
    duplicates: 0.25,
    /** Some lanes of a batch arrived, others failed. */
    laneFails: 0.25,
    /** A share of steps: everything of one stream fails for a while. */
    streamFails: 0.1,
    /** A change is refused for good and becomes a dead letter. */
    refuses: 0.1,
  },
  process: {
    /** A share of calls through ports: the process ends there, before the call took effect. */
    crashBefore: 0.02,
    /** The same, after it took effect and before the answer came. */
    crashAfter: 0.02,
    /** A share of steps. */
    stop: 0.2,
    overlap: 0.2,
    /** The process stands still for longer than its leases last. */
    freeze: 0.1,
    /** A share of steps: a process is killed then and there. */
    killed: 0.2,
    /** A share of steps: a cluster is listed under another name, under two, or not at all for a while. */
    moved: 0.1,
    /** A share of steps: a cluster moves, and nobody answers where it was. */
    movedAway: 0.1,
    aliased: 0.1,
    left: 0.1,
    /** A share of readings of the inventory's source. */
    sourceFails: 0.3,
    /** Clocks of processes disagree, by up to a minute. A share of processes. */
    skew: 0.7,
  },
} as const;

type RatesOf<Table> = { readonly [Area in keyof Table]: { readonly [Fault in keyof Table[Area]]: number } };

/** Area → fault → rate; 0 is off. */
export type FaultRates = RatesOf<typeof mostRates>;

/** `area.fault` of all of them. */
export const allFaults: readonly string[] = Object.entries(mostRates).flatMap(([area, faults]) =>
  Object.keys(faults).map((name) => `${area}.${name}`),
);

/** The faults of a seed. */
export function drawFaults(dice: Dice): FaultRates {
  const manner = dice.next();
  const only = dice.pick(allFaults);
  const share = dice.pick([0.1, 0.3, 0.6]);
  return mapRates((name, most) => {
    const own = dice.fork(name);
    const on = manner < 0.05 ? false : manner < 0.25 ? name === only : own.chance(share);
    // Low rates as often as high ones: a fault that strikes all the time lets nothing else happen.
    return on ? most * 10 ** (-1.2 * own.next()) : 0;
  });
}

/** By `area.fault`; what is not named is off. */
export function ratesOf(named: Readonly<Record<string, number>>): FaultRates {
  return mapRates((name) => named[name] ?? 0);
}

/** No fault at all. */
export const noFaults: FaultRates = mapRates(() => 0);

/** The same faults, one of them off: how a failure is minimised. */
export function withoutFault(rates: FaultRates, fault: string): FaultRates {
  const flat = new Map(faultNames(rates).map(([name, rate]) => [name, rate]));
  return mapRates((name) => (name === fault ? 0 : (flat.get(name) ?? 0)));
}

/** The same faults, and these as often as a seed may give them. Throws RangeError for one that there is not. */
export function withFaults(rates: FaultRates, faults: readonly string[]): FaultRates {
  const unknown = faults.find((name) => !allFaults.includes(name));
  if (unknown !== undefined) throw new RangeError(`There is no fault "${unknown}", only ${allFaults.join(', ')}`);
  const flat = new Map(faultNames(rates).map(([name, rate]) => [name, rate]));
  return mapRates((name, most) => (faults.includes(name) ? most : (flat.get(name) ?? 0)));
}

/** The same faults, but for those of store, sinks and processes. */
export function clusterFaults(rates: FaultRates): FaultRates {
  return { ...rates, store: noFaults.store, sink: noFaults.sink, process: noFaults.process };
}

export function onlyClustersFail({ store, sink, process }: FaultRates): boolean {
  return [store, sink, process].every((area) => Object.values(area).every((rate) => rate === 0));
}

/** `area.fault` and rate of every fault that is on. */
export function faultNames(rates: FaultRates): readonly (readonly [string, number])[] {
  return Object.entries(rates).flatMap(([area, faults]) =>
    Object.entries(faults as Record<string, number>)
      .filter(([, rate]) => rate > 0)
      .map(([name, rate]) => [`${area}.${name}`, rate] as const),
  );
}

function mapRates(rateOf: (name: string, most: number) => number): FaultRates {
  const areas = Object.entries(mostRates).map(([area, faults]) => [
    area,
    Object.fromEntries(Object.entries(faults).map(([name, most]) => [name, rateOf(`${area}.${name}`, most as number)])),
  ]);
  return Object.fromEntries(areas) as FaultRates;
}

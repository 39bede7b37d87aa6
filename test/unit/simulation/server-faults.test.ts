// Each fault of the simulated cluster strikes, alone and together; once they end, the production watch finds the truth.
import { describe, expect, test } from 'vitest';
import { createDice, type Dice } from '../../simulation/random.ts';
import { createScheduler, type Scheduler } from '../../simulation/scheduler.ts';
import { createSimCluster, type SimCluster } from '../../simulation/server/cluster.ts';
import { noFaults, type ServerFaultRates, serverFaults } from '../../simulation/server/fault-rates.ts';
import { type Follower, follow } from '../../simulation/server/follower.ts';
import type { SimResource } from '../../simulation/server/sim-object.ts';

const widgets: SimResource = {
  group: 'sim.example.com',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
  versions: ['v1'],
  origin: 'custom',
};
const aggregated: SimResource = {
  ...widgets,
  group: 'far.example.com',
  plural: 'flunders',
  kind: 'Flunder',
  origin: 'aggregated',
};
const names = Object.entries(serverFaults).flatMap(([area, faults]) =>
  Object.keys(faults).map((fault) => `${area}.${fault}`),
);

/** Restores can't be noticed by a follower that has no record; the whole pipeline is held against them elsewhere. */
const restores = ['cluster.restoreBack', 'cluster.restorePast'];

function ratesOf(rate: (name: string, most: number) => number): ServerFaultRates {
  return Object.fromEntries(
    Object.entries(serverFaults).map(([area, faults]) => [
      area,
      Object.fromEntries(Object.entries(faults).map(([fault, most]) => [fault, rate(`${area}.${fault}`, most)])),
    ]),
  ) as ServerFaultRates;
}

interface Run {
  readonly cluster: SimCluster;
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly follower: Follower;
  readonly over: AbortController;
}

async function run(seed: number, rates: ServerFaultRates, steps: number): Promise<Run> {
  const dice = createDice(seed);
  const scheduler = createScheduler();
  const clock = scheduler.clock();
  const cluster = createSimCluster({ name: 'a', clock, dice: dice.fork('a'), rates, resources: [widgets, aggregated] });
  const over = new AbortController();
  const follower = follow({
    api: cluster.connect({ address: 'https://a', dice: dice.fork('peer') }),
    clock,
    dice: dice.fork('follower'),
    path: () => `/apis/sim.example.com/${cluster.truth.versions(widgets)[0] ?? 'v1'}/widgets`,
    signal: over.signal,
  });
  for (let step = 0; step < steps; step += 1) {
    cluster.step();
    await scheduler.run(scheduler.now() + dice.int(4_000), () => false);
  }
  return { cluster, scheduler, dice, follower, over };
}

/** Every API version is the same object. */
const plain = (text: string): string => text.replace(/"apiVersion":"[^"]*"/, '"apiVersion":""');

function truthOf({ cluster }: Run): Record<string, string> {
  const version = cluster.truth.versions(widgets)[0] ?? 'v1';
  return Object.fromEntries(
    [...cluster.truth.present(widgets)].map(([key, object]) => [key, plain(object.text(version))]),
  );
}

async function expectTruth(state: Run): Promise<void> {
  const { cluster, scheduler, follower, over } = state;
  cluster.calm();
  // As long as a half-open watch can last, and then some backoff.
  await scheduler.run(scheduler.now() + 750_000, () => false);
  // A resource without a definition is not there: its watch waits.
  if (cluster.truth.versions(widgets).length > 0) {
    expect(Object.fromEntries([...follower.objects].map(([key, text]) => [key, plain(text)]))).toEqual(truthOf(state));
  }
  over.abort(new Error('the test is over'));
  await follower.done;
  expect(cluster.openConnections()).toBe(0);
}

describe('faults of a simulated cluster', () => {
  test.each(names)('%s strikes alone, and is survived', async (name) => {
    let struck = 0;
    for (let seed = 0; seed < 40 && struck === 0; seed += 1) {
      // More often than a seed would have it, and together with what it takes to meet it at all.
      const needs = [
        'watch.endsEarly',
        ...(name === 'http.quotesToken' ? ['http.unauthorized'] : []),
        ...(name.startsWith('cluster.') ? ['cluster.credentialsRotated'] : []),
        ...(name.startsWith('list.') ? ['watch.streamingRefused', 'watch.goneEvent'] : []),
      ];
      const rates = ratesOf((each, most) => (each === name ? Math.min(1, most * 3) : needs.includes(each) ? most : 0));
      const state = await run(seed, rates, 100);
      struck = state.cluster.counters[name] ?? 0;
      if (!restores.includes(name)) await expectTruth(state);
      state.over.abort(new Error('the test is over'));
    }
    expect(struck).toBeGreaterThan(0);
  });

  test.each(Array.from({ length: 30 }, (_, seed) => seed))('together they are survived (seed %i)', async (seed) => {
    const chosen = createDice(seed).fork('faults');
    const rates = ratesOf((name, most) =>
      restores.includes(name) || chosen.chance(0.6) ? 0 : most * chosen.next() * 0.5,
    );
    await expectTruth(await run(seed, rates, 150));
  });

  test('the same seed gives the same run', async () => {
    const rates = ratesOf((_, most) => most / 4);
    const [first, second] = [await run(7, rates, 200), await run(7, rates, 200)];
    expect(first.follower.outputs).toEqual(second.follower.outputs);
    expect(first.cluster.counters).toEqual(second.cluster.counters);
    expect(Object.values(first.cluster.counters).length).toBeGreaterThan(20);
    const other = await run(8, rates, 200);
    expect(other.follower.outputs).not.toEqual(first.follower.outputs);
  });

  test('without faults none is counted', async () => {
    const { cluster } = await run(1, noFaults, 50);
    expect(Object.keys(cluster.counters).filter((name) => names.includes(name))).toEqual([]);
  });
});

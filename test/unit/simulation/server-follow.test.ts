// The simulated cluster is good for something only if the production watch can follow it to the truth.
import { describe, expect, test } from 'vitest';
import { createDice } from '../../simulation/random.ts';
import { createScheduler } from '../../simulation/scheduler.ts';
import { createSimCluster, type SimCluster } from '../../simulation/server/cluster.ts';
import { noFaults } from '../../simulation/server/fault-rates.ts';
import { follow } from '../../simulation/server/follower.ts';
import type { SimResource } from '../../simulation/server/sim-object.ts';

const widgets: SimResource = {
  group: 'sim.example.com',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
  versions: ['v1'],
  origin: 'custom',
};
const secrets: SimResource = { ...widgets, group: '', plural: 'secrets', kind: 'Secret', origin: 'built-in' };

function truthOf(cluster: SimCluster, resource: SimResource): Record<string, string> {
  const present = [...cluster.truth.present(resource)];
  return Object.fromEntries(present.map(([key, object]) => [key, object.text('v1')]));
}

describe('a follower of a simulated cluster without faults', () => {
  test.each(Array.from({ length: 20 }, (_, seed) => seed))('sees exactly the truth (seed %i)', async (seed) => {
    const dice = createDice(seed);
    const scheduler = createScheduler();
    const clock = scheduler.clock();
    const cluster = createSimCluster({
      name: 'a',
      clock,
      dice: dice.fork('a'),
      rates: noFaults,
      resources: [widgets, secrets],
    });
    const api = cluster.connect({ address: 'https://a', dice: dice.fork('peer') });
    const over = new AbortController();
    const follower = follow({
      api,
      clock,
      dice: dice.fork('follower'),
      path: () => '/apis/sim.example.com/v1/widgets',
      signal: over.signal,
    });
    for (let step = 0; step < 300; step += 1) {
      cluster.step();
      await scheduler.run(scheduler.now() + dice.int(4_000), () => false);
    }
    await scheduler.run(scheduler.now() + 5_000, () => false);
    expect(Object.fromEntries(follower.objects)).toEqual(truthOf(cluster, widgets));
    expect(cluster.truth.present(widgets).size).toBeGreaterThan(0);
    over.abort(new Error('the test is over'));
    await follower.done;
    expect(cluster.openConnections()).toBe(0);
    expect(
      Object.keys(cluster.counters).filter((name) => /^(connection|http|watch|list|cluster)\./.test(name)),
    ).toEqual([]);
  });
});

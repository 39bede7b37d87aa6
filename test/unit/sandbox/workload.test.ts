import { expect, test } from 'vitest';
import { startFleet } from '../../../lib/sandbox/fleet.ts';

async function states(seed: number): Promise<string[]> {
  const fleet = await startFleet({ clusters: 2, objects: 40, rate: 0, seed });
  try {
    for (const { workload } of fleet.clusters) workload.change(100);
    return fleet.clusters.map((cluster) =>
      JSON.stringify(
        cluster
          .objects()
          .map(({ plural, object }) => [
            plural,
            object.metadata.namespace,
            object.metadata.name,
            object.metadata.labels,
            object['spec'],
          ]),
      ),
    );
  } finally {
    await fleet.stop();
  }
}

test('the same seed leads to the same objects, another seed and another cluster to others', async () => {
  const [first, second] = await states(7);
  expect(await states(7)).toEqual([first, second]);
  expect(second).not.toBe(first);
  expect(await states(8)).not.toContain(first);
});

test('objects are of a realistic size and keep to the number that was asked for', async () => {
  const fleet = await startFleet({ clusters: 1, objects: 100, rate: 0 });
  try {
    const [cluster] = fleet.clusters;
    cluster?.workload.change(500);
    const sizes = (cluster?.objects() ?? []).map(({ object }) => JSON.stringify(object).length);
    expect(sizes.length).toBeGreaterThan(80);
    expect(sizes.length).toBeLessThan(120);
    expect(Math.min(...sizes)).toBeGreaterThan(1000);
    expect(Math.max(...sizes)).toBeLessThan(8000);
    expect(new Set(cluster?.objects().map(({ plural }) => plural)).size).toBe(6);
  } finally {
    await fleet.stop();
  }
});

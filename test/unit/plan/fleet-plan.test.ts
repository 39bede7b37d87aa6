// What a fleet amounts to, and what is said where that is too much.
import { describe, expect, test } from 'vitest';
import { type ClusterDemand, type FleetPlan, planFleet } from '../../../lib/plan/fleet-plan.ts';
import { simulatedFleet } from '../../../lib/plan/simulated-fleet.ts';

const LIMITS = { streams: 10, requestsPerMinute: 2_400 };

function simulated(
  clusters: number,
  resources: number,
  more: Partial<Parameters<typeof simulatedFleet>[0]> = {},
): FleetPlan {
  const simulation = { clusters, resources, gateway: clusters, projects: 1, shards: 1, ...more };
  return planFleet(simulatedFleet(simulation), LIMITS, simulation.shards);
}

describe('a plan', () => {
  test.each([
    // clusters, resources, tasks: streams of a task, open, turn, lag at most, catch-up, requests a minute, fits
    [1, 10, 1, [10], 10, undefined, 0, 15, 3, true],
    [4, 10, 1, [40], 10, 60, 45, 60, 126, true],
    [5, 10, 1, [50], 10, 75, 60, 75, 127, true],
    [6, 10, 1, [60], 10, 90, 75, 90, 128, false],
    [4, 10, 2, [20, 20], 10, 60, 45, 60, 131, true],
    [4, 10, 3, [14, 13, 13], 9, 70, 55, 75, 125, true],
    [1_000, 40, 1, [40_000], 10, 60_000, 59_985, 60_000, 1_520, false],
    [1_700, 1, 1, [1_700], 10, 2_550, 2_535, 2_550, 2_500, false],
  ])(
    'for %i clusters with %i resources and %i tasks behind one gateway',
    (clusters, resources, shards, taken, open, turn, lag, catchUp, requests, fits) => {
      const [way] = simulated(clusters, resources, { shards }).ways;
      expect(way).toMatchObject({
        name: 'Connect Gateway of project',
        clusters,
        shards: taken,
        open,
        fits,
        limits: LIMITS,
      });
      expect(way?.turnSeconds).toBe(turn);
      expect(way?.lagSeconds.most).toBe(lag);
      expect(way?.catchUpSeconds).toBe(catchUp);
      expect(Math.round(way?.requestsPerMinute ?? 0)).toBe(requests);
    },
  );

  test('has no limit for what is reached directly, and no gateway shares another one’s turns', () => {
    const { ways, clusters, warnings } = simulated(30, 10, { gateway: 4, projects: 2 });
    expect(ways.map(({ name, streams, open, fits }) => ({ name, streams, open, fits }))).toEqual([
      { name: 'direct', streams: 260, open: 260, fits: true },
      { name: 'Connect Gateway of project-1', streams: 20, open: 10, fits: true },
      { name: 'Connect Gateway of project-2', streams: 20, open: 10, fits: true },
    ]);
    expect(ways[0]).toMatchObject({ lagSeconds: { mean: 0, most: 0 }, catchUpSeconds: 15 });
    expect(clusters[0]).toMatchObject({ name: 'cluster-1', way: 'Connect Gateway of project-1', streams: 10 });
    expect(clusters[29]).toMatchObject({ way: 'direct', lagSeconds: { mean: 0, most: 0 } });
    expect(warnings).toEqual([]);
  });

  test('counts the busiest task where tasks differ', () => {
    const demands: ClusterDemand[] = [{ name: 'a', gateway: 'g', resources: 30, streams: [25, 5] }];
    expect(planFleet(demands, LIMITS, 2).ways[0]).toMatchObject({
      shards: [25, 5],
      turnSeconds: 75,
      streams: 30,
      open: 10,
    });
  });

  test('of nothing is nothing', () => {
    expect(planFleet([], LIMITS, 1)).toEqual({ clusters: [], ways: [], warnings: [] });
    const empty: ClusterDemand[] = [{ name: 'a', gateway: 'g', resources: 0, streams: [0] }];
    expect(planFleet(empty, LIMITS, 1).ways[0]).toMatchObject({ open: 0, streams: 0, fits: true });
  });
});

describe('what would fit', () => {
  test('is said in numbers that do fit', () => {
    const [warning] = simulated(20, 10).warnings;
    expect(warning).toContain('its 200 streams share 10 open ones, so each has its turn every 5 min only');
    expect(warning).toContain('4 fleet host projects instead of one');
    expect(warning).toContain('direct endpoints (--source gke) for 15 of its 20 clusters');
    expect(warning).toContain('at most 2 resources a cluster (--resources)');
    expect(warning).toContain('--mode catch-up every 5 min or more');
    for (const fitting of [simulated(20, 10, { projects: 4 }), simulated(20, 10, { gateway: 5 }), simulated(20, 2)]) {
      expect(fitting.warnings).toEqual([]);
      expect(fitting.ways.map(({ fits }) => fits)).not.toContain(false);
    }
  });

  test('is not more projects where one cluster alone is too much', () => {
    const [warning] = simulated(2, 100).warnings;
    expect(warning).not.toContain('fleet host projects');
    expect(warning).toContain('for 2 of its 2 clusters');
  });

  test('are fewer clusters where requests are too many, and fewer tasks where each has no stream left', () => {
    const [requests] = simulated(1_700, 1).warnings;
    expect(requests).toContain('2400 requests a minute, and this makes about 2500: at most 1628 clusters');
    expect(simulated(1, 10, { shards: 11 }).warnings[0]).toContain('use at most 10 tasks');
  });
});

import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Engine } from '../../../lib/cli/engine.ts';
import { planSimulation } from '../../../lib/compose/plan.ts';
import type { PlannedRun } from '../../../lib/compose.ts';
import { runCommand } from '../../support/command-line.ts';

const planRun: Engine['planRun'] = async (config, _context, simulation) =>
  simulation === undefined ? found : planSimulation(config, simulation);
const engine = { planRun };

const lagSeconds = { mean: 16.875, most: 45 };
const found: PlannedRun = {
  ways: [
    {
      name: 'Connect Gateway of project 123',
      clusters: 2,
      streams: 40,
      shards: [18, 22],
      limits: { streams: 10, requestsPerMinute: 2_400 },
      open: 10,
      watchSeconds: { least: 15, most: 15 },
      turnSeconds: 60,
      lagSeconds,
      catchUpSeconds: 60,
      requestsPerMinute: 122.8,
      fits: true,
    },
  ],
  clusters: [{ name: 'web', way: 'Connect Gateway of project 123', resources: 40, streams: 40, lagSeconds }],
  warnings: ['too much'],
  problems: [{ source: 'old', message: 'Cluster "old" is left out: it did not answer' }],
};

describe('mk8s plan', () => {
  test('lists ways and clusters; what is left out and what does not fit is on stderr', async () => {
    const { code, stdout, stderr } = await runCommand('plan', { engine });
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(
      /^WAY +CLUSTERS +STREAMS +PER TASK +OPEN +WATCH +TURN EVERY +LAG +CATCH-UP +REQUESTS\/MIN +FITS$/,
    );
    expect(lines[1]).toMatch(
      /^Connect Gateway of project 123 +2 +40 +18-22 +10 of 10 +15s +1m +17s, at most 45s +1m +123 of 2,400 +yes$/,
    );
    expect(lines[3]).toMatch(/^CLUSTER +WAY +RESOURCES +STREAMS +LAG$/);
    expect(lines[4]).toMatch(/^web +Connect Gateway of project 123 +40 +40 +17s, at most 45s$/);
    expect(stderr).toBe('Warning: Cluster "old" is left out: it did not answer\nWarning: too much\n');
    expect(code).toBe(0);
  });

  test('for a fleet that does not exist is ways alone; json and yaml have all of it', async () => {
    const { stdout, code } = await runCommand('plan --simulate clusters=3,resources=40', { engine });
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(code).toBe(0);
    const json = await runCommand('plan --simulate clusters=3,resources=40,gateway=2 -o json', { engine });
    const told = JSON.parse(json.stdout) as PlannedRun;
    expect(told.ways.map(({ name, streams }) => [name, streams])).toEqual([
      ['direct', 40],
      ['Connect Gateway of project', 80],
    ]);
    expect(told.clusters).toHaveLength(3);
    expect(told.warnings).toHaveLength(1);
    const yaml = await runCommand('plan --simulate clusters=3,resources=40,gateway=2 -o yaml', { engine });
    expect(parse(yaml.stdout)).toEqual(told);
  });

  test('keeps to what is configured', async () => {
    const flags = '--gateway-streams 40 --gateway-requests-per-minute 100 --shard-count 2';
    const { stdout, stderr } = await runCommand(`plan --simulate clusters=1,resources=40 ${flags}`, { engine });
    expect(stdout).toMatch(/ 20 +40 of 40 +5m-10m +- +none +15s +9 of 100 +yes/);
    expect(stderr).toBe('');
  });

  test('of no cluster ends with 3, and says what to do', async () => {
    const none = { planRun: async () => ({ ways: [], clusters: [], warnings: [], problems: [] }) };
    const { code, stdout, stderr } = await runCommand('plan', { engine: none });
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toContain('mk8s clusters');
    expect(JSON.parse((await runCommand('plan -o json', { engine: none })).stdout)).toEqual({
      ways: [],
      clusters: [],
      warnings: [],
    });
  });

  test.each([
    ['foo', '"foo" is none of clusters=NUMBER'],
    ['clusters=1', 'resources=NUMBER is missing'],
    ['resources=1', 'clusters=NUMBER is missing'],
    ['clusters=1,resources=x', 'resources must be a whole number from 1 to 10000, not "x"'],
    ['clusters=0,resources=1', 'clusters must be a whole number from 1'],
    ['clusters=1e3,resources=1', 'clusters must be a whole number'],
    ['clusters=-5,resources=1', 'not "-5"'],
    ['clusters=100001,resources=1', 'to 100000, not "100001"'],
    ['clusters=1,clusters=2,resources=1', 'clusters is given twice'],
    ['clusters=1,resources=1,gateway=2', 'gateway=2 is more than there are clusters (1)'],
    ['clusters=1,resources=1,', '"" is none of'],
  ])('refuses --simulate %s with 2, and shows how to write it', async (text, why) => {
    const { code, stdout, stderr } = await runCommand(`plan --simulate ${text}`, { engine });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(why);
    expect(stderr).toContain('clusters=1000,resources=40');
  });
});

// `mk8s plan` as a user meets it: a real process, which asks clusters directly and through a Connect Gateway on loopback.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PlannedRun } from '../../lib/compose.ts';
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.ts';
import { type FakeFleet, startFakeFleet } from '../support/fake-fleet.ts';
import { runMk8s } from '../support/process.ts';

const TOKEN = 'ya29.of-the-whole-project';

describe('a plan for clusters of Google Cloud', () => {
  let direct: Sandbox;
  let attached: Sandbox;
  let fleet: FakeFleet;

  beforeAll(async () => {
    direct = await startSandbox({ name: 'direct', token: TOKEN });
    attached = await startSandbox({ name: 'attached', token: TOKEN });
    fleet = await startFakeFleet(TOKEN, {
      clusters: [{ name: 'direct', location: 'us-central1', target: direct }],
      memberships: [
        { name: 'direct', location: 'us-central1', gke: 'direct', target: direct },
        { name: 'attached', location: 'global', target: attached },
      ],
    });
  });
  afterAll(async () => {
    await fleet[Symbol.asyncDispose]();
    await Promise.all([direct.stop(), attached.stop()]);
  });

  const plan = (...args: string[]) => runMk8s(['plan', ...args], { env: { ...fleet.env } });
  const two = ['--resources', 'namespaces,configmaps'];

  test('tells which share the gateway’s quota, and which are reached directly', async () => {
    const { code, stdout, stderr } = await plan('--source', 'gke,fleet', ...two, '-o', 'json');
    const { ways, clusters } = JSON.parse(stdout) as PlannedRun;
    expect(ways.map(({ name, streams, open, fits }) => ({ name, streams, open, fits }))).toEqual([
      { name: 'direct', streams: 2, open: 2, fits: true },
      { name: 'Connect Gateway of project 123456789012', streams: 2, open: 2, fits: true },
    ]);
    expect(clusters.map(({ name, resources }) => [name, resources])).toEqual([
      ['gke_fleet-project_us-central1_direct', 2],
      ['connectgateway_fleet-project_global_attached', 2],
    ]);
    expect(`${stdout}${stderr}`).not.toContain(TOKEN);
    expect(code, stderr).toBe(0);
  });

  test('shares the turns where the gateway allows fewer streams than there are', async () => {
    const { stdout } = await plan('--source', 'fleet', ...two, '--gateway-streams', '1', '-o', 'json');
    const [way] = (JSON.parse(stdout) as PlannedRun).ways;
    expect(way).toMatchObject({ clusters: 2, streams: 4, open: 1, turnSeconds: 60 });
  });
});

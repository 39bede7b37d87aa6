// A Google Cloud project as a user of `mk8s` meets it: real processes, Google's own libraries, real sockets; the clusters are
// sandboxes and Google is a fake on loopback.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.ts';
import { type FakeFleet, startFakeFleet } from '../support/fake-fleet.ts';
import { runMk8s } from '../support/process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const TOKEN = 'ya29.of-the-whole-project';

describe('clusters of Google Cloud', () => {
  let direct: Sandbox;
  let attached: Sandbox;
  let fleet: FakeFleet;

  beforeAll(async () => {
    direct = await startSandbox({ name: 'direct', token: TOKEN });
    attached = await startSandbox({ name: 'attached', token: TOKEN });
    fleet = await startFakeFleet(TOKEN, {
      clusters: [
        { name: 'direct', location: 'us-central1', target: direct, labels: { env: 'prod' } },
        { name: 'young', location: 'us-east1', status: 'PROVISIONING' },
      ],
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

  const mk8s = (...args: string[]) => runMk8s(args, { env: { ...fleet.env } });

  test('are found by metadata tokens: each once, directly where it can be, through Connect Gateway where not', async () => {
    const { code, stdout, stderr } = await mk8s('clusters', '--source', 'gke,fleet', '-o', 'json');
    const { clusters } = JSON.parse(stdout) as { clusters: Record<string, unknown>[] };
    expect(clusters.map(({ id, name, aliases, sources, state }) => ({ id, name, aliases, sources, state }))).toEqual([
      {
        id: direct.uid,
        name: 'gke_fleet-project_us-central1_direct',
        aliases: ['connectgateway_fleet-project_us-central1_direct'],
        sources: ['gke', 'fleet'],
        state: 'RUNNING',
      },
      { name: 'gke_fleet-project_us-east1_young', aliases: [], sources: ['gke'], state: 'PROVISIONING' },
      {
        id: attached.uid,
        name: 'connectgateway_fleet-project_global_attached',
        aliases: [],
        sources: ['fleet'],
        state: 'READY',
      },
    ]);
    expect(clusters[0]).toMatchObject({ project: 'fleet-project', location: 'us-central1', labels: { env: 'prod' } });
    expect(stderr).toContain('GKE says PROVISIONING');
    expect(`${stdout}${stderr}`).not.toContain(TOKEN);
    expect(code).toBe(0);
    expect(fleet.forwarded.some((path) => path.includes('/locations/us-central1/gkeMemberships/direct/'))).toBe(true);
    expect(fleet.forwarded.some((path) => path.includes('/locations/global/memberships/attached/'))).toBe(true);
  });

  test('have a default in the region of the workload, or the one that MESH_URL names', async () => {
    const defaultOf = async (more: Record<string, string>): Promise<[unknown, string]> => {
      const args = ['clusters', '--source', 'gke,fleet', '-o', 'json'];
      const { stdout, stderr } = await runMk8s(args, { env: { ...fleet.env, ...more } });
      const { clusters } = JSON.parse(stdout) as { clusters: { name: string; isDefault: boolean }[] };
      return [clusters.filter(({ isDefault }) => isDefault).map(({ name }) => name), stderr];
    };
    expect((await defaultOf({}))[0]).toEqual(['gke_fleet-project_us-central1_direct']);
    const [none, stderr] = await defaultOf({ MESH_URL: 'gke://fleet-project/us-central1/none' });
    expect(none).toEqual([]);
    expect(stderr).toContain('The default cluster should be gke://fleet-project/us-central1/none');
  });

  test('that no rights lead to are told with the role that is missing, and the others go on', async () => {
    await using strict = await startFakeFleet(TOKEN, {
      clusters: [{ name: 'direct', location: 'us-central1', target: direct }],
      memberships: [
        { name: 'attached', location: 'global', target: attached },
        { name: 'empty', location: 'us-east1' },
      ],
      allows: (_, api) => api !== 'connectgateway',
    });
    const { code, stdout, stderr } = await runMk8s(['clusters', '--source', 'gke,fleet', '-o', 'name'], {
      env: { ...strict.env },
    });
    expect(stdout.split('\n')).toHaveLength(4);
    expect(stderr).toContain(
      'connectgateway.googleapis.com refused service account runner@fleet-project.iam.gserviceaccount.com (metadata server)',
    );
    expect(stderr).toContain(
      'gcloud projects add-iam-policy-binding fleet-project --role roles/gkehub.gatewayReader --member serviceAccount:runner@fleet-project.iam.gserviceaccount.com',
    );
    expect(stderr).toContain('gcloud container fleet memberships register empty --location us-east1');
    expect(code).toBe(0);
  });

  test('one of them by its URL, and one that is not there', async () => {
    const one = await mk8s('clusters', '--source', 'gke://fleet-project/us-central1/direct', '-o', 'name');
    expect(one.stdout).toBe('gke_fleet-project_us-central1_direct\n');
    const link = 'https://container.googleapis.com/v1/projects/fleet-project/locations/us-central1/clusters/none';
    const none = await mk8s('clusters', '--source', link);
    expect(none.stderr).toContain('There is no GKE cluster "none" in us-central1 of project fleet-project');
    expect(none.code).toBe(3);
  });

  test('of a project that refuses are a problem that names it and the command that helps; the others go on', async () => {
    const { code, stdout, stderr } = await mk8s(
      'clusters',
      '--source',
      'gke',
      '--google-projects',
      'fleet-project,other-project',
      '-o',
      'name',
    );
    expect(stdout).toContain('gke_fleet-project_us-central1_direct');
    expect(stderr).toContain(
      'Cannot list the GKE clusters of project other-project as service account runner@fleet-project.iam.gserviceaccount.com (metadata server): 403 PERMISSION_DENIED Permission denied on project other-project. Grant it: gcloud projects add-iam-policy-binding other-project --role roles/container.clusterViewer --member serviceAccount:runner@fleet-project.iam.gserviceaccount.com\n',
    );
    expect(code).toBe(0);
  });

  test('are followed through Connect Gateway', async () => {
    await using folder = await temporaryFolder();
    const data = join(folder.path, 'data');
    const { code, stdout, stderr } = await mk8s(
      'run',
      '--source',
      'fleet',
      '--mode',
      'catch-up',
      '--data',
      data,
      '--resources',
      'namespaces',
    );
    expect(`${stdout}${stderr}`).not.toContain(TOKEN);
    expect(code, `${stdout}${stderr}`).toBe(0);
    const feed = await mk8s('tail', '--data', data, '--output', 'json');
    const clusters = new Set(
      feed.stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { cluster: string }).cluster),
    );
    expect(clusters).toEqual(new Set([direct.uid, attached.uid]));
  });
});

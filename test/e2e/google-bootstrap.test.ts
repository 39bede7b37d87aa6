// Google without Google's surroundings: a kubeconfig alone, whose cluster's service account leads to the project's clusters. Real
// processes and sockets; the JWTs are signed by a sandbox and checked by a fake of STS.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.ts';
import { type ClusterClient, clusterClient } from '../support/cluster-client.ts';
import { createCrd, type TestResource } from '../support/crd.ts';
import { type FakeFleet, startFakeFleet } from '../support/fake-fleet.ts';
import { kubeconfigText } from '../support/kubeconfig-file.ts';
import { runMk8s } from '../support/process.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

const membership: TestResource = {
  group: 'hub.gke.io',
  version: 'v1',
  plural: 'memberships',
  kind: 'Membership',
  namespaced: false,
};
const provider = 'https://gkehub.googleapis.com/projects/fleet-project/locations/global/memberships/home';
const runner = 'runner@fleet-project.iam.gserviceaccount.com';
const pool = 'fleet-project.svc.id.goog';

describe('with only a kubeconfig', () => {
  let home: Sandbox;
  let far: Sandbox;
  let client: ClusterClient;
  let fleet: FakeFleet;
  let folder: TemporaryFolder;
  let kubeconfig: string;

  beforeAll(async () => {
    home = await startSandbox({ name: 'home' });
    far = await startSandbox({ name: 'far' });
    client = clusterClient(home);
    folder = await temporaryFolder();
    kubeconfig = join(folder.path, 'kubeconfig');
    await writeFile(kubeconfig, kubeconfigText({ home }));
    fleet = await startFakeFleet('ya29.of-nobody-here', {
      clusters: [],
      memberships: [{ name: 'far', location: 'global', target: far }],
      trusted: [{ ...home, provider }],
      impersonable: [runner],
    });
    await createCrd(client, membership);
    await client.call('POST', '/apis/hub.gke.io/v1/memberships', {
      apiVersion: 'hub.gke.io/v1',
      kind: 'Membership',
      metadata: { name: 'membership' },
      spec: {
        owner: { id: '//gkehub.googleapis.com/projects/fleet-project/locations/global/memberships/home' },
        workload_identity_pool: pool,
        identity_provider: provider,
      },
    });
  });
  afterAll(async () => {
    await client[Symbol.asyncDispose]();
    await fleet[Symbol.asyncDispose]();
    await Promise.all([home.stop(), far.stop()]);
    await folder[Symbol.asyncDispose]();
  });

  const mk8s = (...args: string[]) =>
    runMk8s(args, { env: { ...fleet.envElsewhere, KUBECONFIG: kubeconfig, HOME: folder.path } });
  const members = (): (string | undefined)[] =>
    fleet.google.requests
      .map(({ headers }) => (headers.authorization ?? '').replace('Bearer ', ''))
      .filter((token) => token.startsWith('ya29.'))
      .map((token) => fleet.tokens.whoIs(token));

  test('its service account is exchanged for a federated token, which leads to the clusters of the fleet', async () => {
    const { code, stdout, stderr } = await mk8s('clusters', '--source', 'kubeconfig,fleet', '-o', 'json');
    const { clusters } = JSON.parse(stdout) as { clusters: Record<string, unknown>[] };
    expect(
      clusters.map(({ id, name, isDefault }) => ({ id, name, isDefault })),
      stderr,
    ).toEqual([
      { id: home.uid, name: 'home', isDefault: true },
      { id: far.uid, name: 'connectgateway_fleet-project_global_far', isDefault: false },
    ]);
    expect(code).toBe(0);
    expect(new Set(members())).toEqual(new Set([`serviceAccount:${pool}[default/default]`]));
    expect(`${stdout}${stderr}`).not.toMatch(/ya29|eyJ/);
  });

  test('the service account may be named, and may impersonate one of Google', async () => {
    await client.call('POST', '/api/v1/namespaces/kube-public/serviceaccounts', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'mk8s' },
    });
    const before = fleet.google.requests.length;
    const { stdout, stderr } = await mk8s(
      'clusters',
      '--source=fleet',
      '--google-kubernetes-service-account=kube-public/mk8s',
      `--google-impersonate=${runner}`,
      '--output=name',
    );
    expect(stdout, stderr).toBe('connectgateway_fleet-project_global_far\n');
    const asked = fleet.google.requests.slice(before).map(({ url, headers }) => {
      const token = (headers.authorization ?? '').replace('Bearer ', '');
      return [url.pathname.replace(/.*[/:]/, ''), fleet.tokens.whoIs(token)];
    });
    expect(asked).toContainEqual(['token', undefined]);
    expect(asked).toContainEqual(['generateAccessToken', `serviceAccount:${pool}[kube-public/mk8s]`]);
    expect(asked).toContainEqual(['memberships', `serviceAccount:${runner}`]);
  });

  test('its service account is whose tokens the commands give, too', async () => {
    const { code, stdout, stderr } = await mk8s('token', '--access');
    expect(code, stderr).toBe(0);
    expect(fleet.tokens.whoIs(stdout.trim())).toBe(`serviceAccount:${pool}[default/default]`);
  });

  test('a pool that does not trust it is told with the step, the identity and what to check', async () => {
    const { code, stderr } = await mk8s(
      'clusters',
      '--source=fleet',
      '--google-provider=https://gkehub.googleapis.com/projects/p/locations/global/memberships/other',
    );
    expect(stderr).toContain(
      'Cannot exchange its token for a Google access token (identitynamespace:fleet-project.svc.id.goog:https://gkehub.googleapis.com/projects/p/locations/global/memberships/other) as service account default/default of cluster "home" in the pool fleet-project.svc.id.goog: 400 invalid_target',
    );
    expect(stderr).toContain('Check that the pool and its provider exist');
    expect(code).toBe(3);
  });

  test('a service account that is not there is told with the command that creates it', async () => {
    const { stderr } = await mk8s('clusters', '--source=fleet', '--google-kubernetes-service-account=default/none');
    expect(stderr).toContain('Cannot create a token for service account "default/none" in cluster "home"');
    expect(stderr).toContain('kubectl create serviceaccount none -n default');
  });

  test('a cluster that no pool is known to trust is told what to name', async () => {
    await using elsewhere = await temporaryFolder();
    const other = join(elsewhere.path, 'kubeconfig');
    await writeFile(other, kubeconfigText({ far }));
    const { code, stderr } = await mk8s('clusters', '--source=gke', '--kubeconfig', other);
    expect(stderr).toContain('no workload identity pool is known that trusts it');
    expect(stderr).toContain('--google-pool and --google-provider');
    expect(code).toBe(3);
  });
});

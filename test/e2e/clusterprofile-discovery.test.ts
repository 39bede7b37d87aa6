// ClusterProfiles as a user meets them: clusters that join and leave by an object of the Cluster Inventory API, exec plugins that
// are run only where the operator says so, and Google's tokens that go nowhere but to Google.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.ts';
import { type ClusterClient, clusterClient } from '../support/cluster-client.ts';
import { createNamespaces, served } from '../support/crd.ts';
import { startFakeFleet } from '../support/fake-fleet.ts';
import { kubeconfigText } from '../support/kubeconfig-file.ts';
import { runMk8s, startMk8s } from '../support/process.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

const resource = {
  group: 'multicluster.x-k8s.io',
  version: 'v1alpha1',
  plural: 'clusterprofiles',
  kind: 'ClusterProfile',
  namespaced: true,
};
const namespace = 'fleet-cluster-inventory';
const profiles = `/apis/multicluster.x-k8s.io/v1alpha1/namespaces/${namespace}/clusterprofiles`;

describe('clusters of ClusterProfiles', () => {
  let home: Sandbox;
  let remote: Sandbox;
  let client: ClusterClient;
  let folder: TemporaryFolder;
  let kubeconfig: string;
  let providerFile: string;

  beforeEach(async () => {
    home = await startSandbox({ name: 'home' });
    remote = await startSandbox({ name: 'remote' });
    client = clusterClient(home);
    folder = await temporaryFolder();
    kubeconfig = join(folder.path, 'kubeconfig');
    providerFile = join(folder.path, 'providers.json');
    await writeFile(kubeconfig, kubeconfigText({ home }));
    await writeFile(providerFile, JSON.stringify({ providers: [{ name: 'secretreader', execConfig: plugin() }] }));
    await createNamespaces(client, [namespace]);
    await defineProfiles();
  });
  afterEach(async () => {
    await client[Symbol.asyncDispose]();
    await Promise.all([home.stop(), remote.stop()]);
    await folder[Symbol.asyncDispose]();
  });

  /** As upstream's: the status is a subresource, so that whoever may write the object need not be able to write it. */
  async function defineProfiles(): Promise<void> {
    const { group, version, plural, kind } = resource;
    const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    await client.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural, singular: 'clusterprofile', kind, listKind: `${kind}List` },
        versions: [
          { name: version, served: true, storage: true, subresources: { status: {} }, schema: { openAPIV3Schema } },
        ],
      },
    });
    await served(client, resource);
  }

  /** A plugin that prints the remote's token, and only where it is told of the remote by `provideClusterInfo`. */
  function plugin(): object {
    const script = `const { spec } = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
      const token = spec.cluster.config.clusterName === 'spoke-1' ? ${JSON.stringify(remote.token)} : 'wrong';
      console.log(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } }));`;
    const apiVersion = 'client.authentication.k8s.io/v1';
    return { apiVersion, command: process.execPath, args: ['-e', script], provideClusterInfo: true };
  }

  async function addProfile(name: string, status: object, metadata: object = {}): Promise<void> {
    const object = { apiVersion: 'multicluster.x-k8s.io/v1alpha1', kind: 'ClusterProfile' };
    const made = await client.call('POST', profiles, {
      ...object,
      metadata: { name, namespace, ...metadata },
      spec: { displayName: name, clusterManager: { name: 'a-manager' } },
    });
    await client.call('PUT', `${profiles}/${name}/status`, { ...made, status });
  }

  const certificate = (pem: string): string => Buffer.from(pem).toString('base64');
  const byPlugin = (): object => ({
    conditions: [{ type: 'ControlPlaneHealthy', status: 'True', reason: 'Healthy', message: '' }],
    properties: [
      { name: 'cluster.clusterset.k8s.io', value: 'remote-1' },
      { name: 'location', value: 'us-east1' },
    ],
    credentialProviders: [{ name: 'secretreader', cluster: { server: 'https://127.0.0.1:1' } }],
    accessProviders: [
      {
        name: 'secretreader',
        cluster: {
          server: remote.url,
          'certificate-authority-data': certificate(remote.ca),
          extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { clusterName: 'spoke-1' } }],
        },
      },
    ],
  });

  const flags = (): string[] => ['--source', 'kubeconfig,clusterprofile', '--kubeconfig', kubeconfig];
  const loopback = ['--allow-servers', '127.0.0.1'];
  const env = { METADATA_SERVER_DETECTION: 'none' };

  test('are reached by the plugin that the operator gave their provider, with their place, labels and properties', async () => {
    await addProfile('remote', byPlugin(), { labels: { 'x-k8s.io/cluster-manager': 'a-manager' } });
    const args = ['clusters', ...flags(), ...loopback, '--clusterprofile-provider-file', providerFile, '-o', 'json'];
    const { code, stdout, stderr } = await runMk8s(args, { env });
    const { clusters } = JSON.parse(stdout) as { clusters: object[] };
    expect(clusters, stderr).toMatchObject([
      { id: home.uid, name: 'home', sources: ['kubeconfig'], isDefault: true },
      {
        id: remote.uid,
        name: 'clusterprofile_fleet-cluster-inventory_remote',
        sources: ['clusterprofile'],
        location: 'us-east1',
        state: 'HEALTHY',
        labels: { 'x-k8s.io/cluster-manager': 'a-manager', 'cluster.clusterset.k8s.io': 'remote-1' },
      },
    ]);
    expect(code).toBe(0);
    expect(`${stdout}${stderr}`).not.toContain(remote.token);
  });

  test('are in a kubeconfig of the service with the authority that their object names', async () => {
    await addProfile('remote', byPlugin());
    const policy = join(folder.path, 'policy.yaml');
    await writeFile(
      policy,
      "version: 1\nrules: [{name: r, grant: clusters, callers: [alice@example.com], clusters: ['*']}]\n",
    );
    const args = ['serve', '--port', '0', '--policy', policy, '--as', 'alice@example.com', ...flags(), ...loopback];
    await using serve = startMk8s(args, { env: { ...env, MK8S_CLUSTERPROFILE_PROVIDER_FILE: providerFile } });
    const url = await serve.waitFor('its address', ({ stdout }) => /"url":"([^"]+)"/.exec(stdout)?.[1]);
    const path = 'clusterprofile_fleet-cluster-inventory_remote/kubeconfig';
    const answer = await fetch(`${url}/v1/clusters/${path}`, { headers: { accept: 'application/json' } });
    expect(await answer.json()).toMatchObject({
      clusters: [{ cluster: { server: remote.url, 'certificate-authority-data': certificate(remote.ca) } }],
    });
  });

  test('run nothing, and are listed with what they offer, where the operator says nothing of their provider', async () => {
    await addProfile('remote', byPlugin());
    await addProfile('bare', {});
    const { stdout, stderr } = await runMk8s(['clusters', ...flags(), ...loopback, '-o', 'name'], { env });
    expect(stdout.trim().split('\n')).toEqual([
      'home',
      'clusterprofile_fleet-cluster-inventory_bare',
      'clusterprofile_fleet-cluster-inventory_remote',
    ]);
    expect(stderr).toContain(
      'ClusterProfile fleet-cluster-inventory/remote of cluster "home" has no access provider that may be used, but secretreader; give one a plugin with --clusterprofile-provider-file',
    );
    expect(stderr).toContain(
      'ClusterProfile fleet-cluster-inventory/bare of cluster "home" has no access provider: its',
    );
  });

  test('promise 9: whatever they name, it is refused by name, and no token goes to a server of their choice', async () => {
    const asked: string[] = [];
    await using fleet = await startFakeFleet('ya29.of-the-project', { clusters: [], memberships: [] });
    fleet.google.answer = ({ url }) => void asked.push(url.pathname);
    const bad: Readonly<Record<string, object>> = {
      google: { server: 'https://google.example.com' },
      alike: { server: 'https://evil.example.com/.gke.goog' },
      ca: {
        server: 'https://connectgateway.googleapis.com/v1/x',
        'certificate-authority-data': certificate(remote.ca),
      },
      name: { server: 'https://a.gke.goog', 'tls-server-name': 'google.example.com' },
      near: { server: 'http://169.254.169.254', 'certificate-authority': '/etc/passwd' },
      bare: { server: '169.254.169.254' },
      proxy: { server: 'https://a.gke.goog', 'proxy-url': 'http://evil.example.com' },
    };
    for (const [name, cluster] of Object.entries(bad)) {
      await addProfile(name, { accessProviders: [{ name: 'google', cluster }] });
    }
    const { stdout, stderr } = await runMk8s(['clusters', ...flags(), '-o', 'name'], { env: { ...fleet.env } });
    expect(stdout).toBe('home\n');
    for (const why of [
      `its tokens are sent to Connect Gateway and gke.goog only, and not to google.example.com; allow it by name with --allow-servers google.example.com`,
      'and not to evil.example.com',
      'a certificate authority or another name for connectgateway.googleapis.com',
      'a certificate authority or another name for a.gke.goog',
      'a file path (certificate-authority)',
      'an unencrypted server (169.254.169.254)',
      'a server without https://',
      'a proxy (proxy-url)',
    ]) {
      expect(stderr).toContain(why);
    }
    // Not even a token was asked for.
    expect(asked.filter((path) => path.endsWith('/token'))).toEqual([]);
  });

  test('of GKE fleets are reached through Connect Gateway with Google tokens, without a plugin', async () => {
    await using fleet = await startFakeFleet('ya29.of-the-project', {
      clusters: [],
      memberships: [{ name: 'remote', location: 'us-east1', target: remote }],
    });
    const annotations = {
      'fleet.gke.io/membershipName': `projects/${fleet.number}/locations/us-east1/memberships/remote`,
    };
    const server = `${fleet.google.url}/v1/projects/${fleet.number}/locations/us-east1/gkeMemberships/remote`;
    await addProfile('remote', { accessProviders: [{ name: 'google', cluster: { server } }] }, { annotations });
    const args = ['clusters', ...flags(), ...loopback, '-o', 'json'];
    const { stdout, stderr } = await runMk8s(args, { env: { ...fleet.env } });
    const { clusters } = JSON.parse(stdout) as { clusters: object[] };
    expect(clusters[1], stderr).toMatchObject({ id: remote.uid, sources: ['clusterprofile'], location: 'us-east1' });
    expect(fleet.forwarded.length).toBeGreaterThan(0);
  });

  test('join and leave a run by their objects, at once', async () => {
    const args = ['run', ...flags(), ...loopback, '--clusterprofile-provider-file', providerFile];
    const data = join(folder.path, 'data');
    const log = ['--data', data, '--resources', 'namespaces', '--view', 'log', '--log-level', 'debug'];
    await using run = startMk8s([...args, ...log], { env });
    const following = (name: string) => (output: { stdout: string; stderr: string }) =>
      `${output.stdout}${output.stderr}`.includes(`Following namespaces in cluster \\"${name}\\"`);
    await run.waitFor('home to be followed', following('home'));
    await addProfile('late', byPlugin());
    // Sooner than the next reading at an interval.
    await run.waitFor('the profile to be followed', following(`clusterprofile_${namespace}_late`), 20_000);
    await client.call('DELETE', `${profiles}/late`);
    const status = async (): Promise<string> => (await runMk8s(['status', '--data', data, '-o', 'json'])).stdout;
    await expect.poll(status, { timeout: 20_000 }).toMatch(/"stopped"/);
    expect((await run.kill('SIGTERM')).code).toBe(0);
  });

  test('of a cluster without the API are a problem that says what to install', async () => {
    await client.call(
      'DELETE',
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/clusterprofiles.multicluster.x-k8s.io',
    );
    const { code, stdout, stderr } = await runMk8s(['clusters', ...flags(), '-o', 'name'], { env });
    expect(stdout).toBe('home\n');
    expect(stderr).toContain('Cannot read the ClusterProfiles in namespace fleet-cluster-inventory in cluster "home"');
    expect(stderr).toContain('clusterprofiles.multicluster.x-k8s.io');
    expect(code).toBe(0);
  });

  test('with a provider file that would let them add to a command line are refused as a whole', async () => {
    const open = { name: 'a', execConfig: { command: 'x' }, profileSourcedCLIArgsPolicy: 'Append' };
    await writeFile(providerFile, JSON.stringify({ providers: [open] }));
    const args = ['clusters', ...flags(), '--clusterprofile-provider-file', providerFile];
    const { code, stderr } = await runMk8s(args, { env });
    expect(stderr).toContain(
      'provider "a" has the policy Append, by which objects of a cluster would change what is run',
    );
    expect(code).not.toBe(0);
  });
});

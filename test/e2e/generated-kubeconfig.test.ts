// A kubeconfig of the service in the hands of a person: downloaded over HTTP, given to kubectl as it is. Its plugin is the real
// `mk8s credential`, found by PATH, which shows its own identity token to the running service. Nothing in between is a stand-in but
// Google's metadata server and the issuer of its identity tokens.
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.ts';
import { type ClusterEndpoint, clusterClient } from '../support/cluster-client.ts';
import { createCrd, putObject, type TestResource } from '../support/crd.ts';
import { type FakeGoogle, metadataServerAnswers, startFakeGoogle } from '../support/fake-google.ts';
import { type FakeIssuer, startFakeIssuer } from '../support/fake-issuer.ts';
import { kubeAssets, startKubeApiServer } from '../support/kube-apiserver.ts';
import { kubeconfigText } from '../support/kubeconfig-file.ts';
import { type RunningProcess, startMk8s } from '../support/process.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

const kubectl = 'kubectl';
const root = resolve(import.meta.dirname, '../..');
const deployer = 'system:serviceaccount:shop:deployer';
const widgets: TestResource = {
  group: 'example.com',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
};

function hasKubectl(): boolean {
  try {
    execFileSync(kubectl, ['version', '--client'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A cluster in which service account shop/deployer may read widgets, and nothing else. */
type Cluster = ClusterEndpoint & AsyncDisposable;

async function sandboxCluster(): Promise<Cluster> {
  const rules = [
    { subjects: [deployer], verbs: ['get', 'list', 'watch'], groups: [widgets.group], resources: [widgets.plural] },
  ];
  const sandbox = await startSandbox({ rules });
  return { ...endpointOf(sandbox), [Symbol.asyncDispose]: () => sandbox.stop() };
}

async function realCluster(): Promise<Cluster> {
  const server = await startKubeApiServer();
  const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/shop';
  const metadata = { name: 'widget-reader' };
  await createNamespace(server.client);
  await server.client.call('POST', `${rbac}/roles`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata,
    rules: [{ apiGroups: [widgets.group], resources: [widgets.plural], verbs: ['get', 'list', 'watch'] }],
  });
  await server.client.call('POST', `${rbac}/rolebindings`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'widget-reader' },
    subjects: [{ kind: 'ServiceAccount', name: 'deployer', namespace: 'shop' }],
  });
  return server;
}

const endpointOf = ({ url, token, ca }: Sandbox): ClusterEndpoint => ({ url, token, ca });

async function createNamespace(client: ReturnType<typeof clusterClient>): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
  await client.call('POST', '/api/v1/namespaces', body, [409]);
}

describe.skipIf(!hasKubectl())(
  'a kubeconfig of the service, given to kubectl as it is (where it is installed)',
  { timeout: 120_000 },
  () => {
    describe('on a sandbox', () => suite(sandboxCluster));
    describe.skipIf(kubeAssets === undefined)('on a real API server (where KUBEBUILDER_ASSETS has one)', () =>
      suite(realCluster),
    );
  },
);

function suite(start: () => Promise<Cluster>): void {
  let folder: TemporaryFolder;
  let issuer: FakeIssuer;
  /** Where alice works: a machine with a metadata server of Google's. */
  let place: FakeGoogle;
  let cluster: Cluster;
  /** Listed for alice, who is granted no token there. */
  let other: Sandbox;
  let service: RunningProcess;
  let url: string;
  const policy = (): string => join(folder.path, 'policy.yaml');
  const admin = (): string => join(folder.path, 'admin');

  beforeAll(async () => {
    folder = await temporaryFolder();
    issuer = await startFakeIssuer();
    cluster = await start();
    other = await startSandbox({ name: 'other' });
    place = await startFakeGoogle(
      metadataServerAnswers({
        '': 'instance/',
        instance: 'here',
        'instance/service-accounts/default/identity': ({ searchParams }: URL) =>
          issuer.token(searchParams.get('audience') ?? ''),
      }),
    );
    await using client = clusterClient(cluster);
    await createNamespace(client);
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'deployer' } };
    await client.call('POST', '/api/v1/namespaces/shop/serviceaccounts', account);
    await createCrd(client, widgets);
    await putObject(client, widgets, { namespace: 'shop', name: 'one' }, { size: 1 });
    writeFileSync(admin(), kubeconfigText({ web: cluster, other: endpointOf(other) }));
    const alice = JSON.stringify(['alice@example.com', { issuer: issuer.issuer, email: 'alice@example.com' }]);
    writeFileSync(
      policy(),
      `version: 1
rules:
  - {name: read, grant: clusters, callers: ${alice}, clusters: ['*']}
  - {name: mint, grant: service-account-tokens, callers: ${alice}, clusters: [web], namespaces: [shop],
     serviceAccounts: [deployer], audiences: [api-server]}
`,
    );
    const bin = join(folder.path, 'bin');
    mkdirSync(bin);
    symlinkSync(join(root, 'bin/mk8s.js'), join(bin, 'mk8s'));
    service = serve('--issuers', issuer.issuer);
    url = await addressOf(service);
  }, 180_000);
  afterAll(async () => {
    await service?.[Symbol.asyncDispose]();
    await place?.[Symbol.asyncDispose]();
    await other?.stop();
    await cluster?.[Symbol.asyncDispose]();
    await issuer?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  function serve(...flags: string[]): RunningProcess {
    const source = ['--source', 'kubeconfig', '--kubeconfig', admin(), '--policy', policy()];
    return startMk8s(['serve', '--port', '0', ...source, '--data', join(folder.path, 'data'), ...flags]);
  }

  const addressOf = (running: RunningProcess): Promise<string> =>
    running.waitFor('its address', ({ stdout }) => /"url":"([^"]+)"/.exec(stdout)?.[1]);

  /** Writes the answer to a file, byte for byte. */
  async function download(path: string, from = url): Promise<string> {
    const headers = { authorization: `Bearer ${issuer.token(from)}` };
    const response = await fetch(`${from}${path}`, { headers });
    const text = await response.text();
    expect(response.status, text).toBe(200);
    for (const { token } of [cluster, other]) expect(text).not.toContain(token);
    const file = join(folder.path, 'config');
    writeFileSync(file, text);
    return file;
  }

  interface Ran {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
  }

  /** As on a machine on which mk8s is installed: nothing but PATH leads to the plugin. */
  async function run(kubeconfig: string, args: readonly string[], env = atGoogle()): Promise<Ran> {
    const path = [join(folder.path, 'bin'), dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);
    const all = { PATH: path, HOME: folder.path, KUBECONFIG: kubeconfig, ...env };
    return await promisify(execFile)(kubectl, args, { env: all, cwd: folder.path }).then(
      (output) => ({ code: 0, ...output }),
      (error: Ran) => error,
    );
  }

  const atGoogle = (): Record<string, string> => ({
    GCE_METADATA_HOST: place.host,
    METADATA_SERVER_DETECTION: 'assume-present',
  });

  test('reads what the service account may read, whom the policy grants', async () => {
    const config = await download('/v1/clusters/web/kubeconfig');
    const read = await run(config, ['get', 'widgets', '-n', 'shop', '-o', 'name']);
    expect(read, read.stderr).toMatchObject({ code: 0, stdout: 'widget.example.com/one\n' });
    expect(service.stdout()).toMatch(/shop\/deployer"[^\n]*"decision":"minted","rule":"mint"/);
  });

  test("is refused a write by the cluster's RBAC", async () => {
    const config = await download('/v1/clusters/web/kubeconfig');
    const written = await run(config, ['delete', 'widget', 'one', '-n', 'shop']);
    expect(written.code).not.toBe(0);
    expect(written.stderr).toContain(`User "${deployer}" cannot delete resource "widgets"`);
    await using client = clusterClient(cluster);
    const path = `/apis/${widgets.group}/${widgets.version}/namespaces/shop/widgets/one`;
    expect((await client.request('GET', path)).status).toBe(200);
  });

  test('is refused by the policy where it grants nothing, and says so', async () => {
    const config = await download('/v1/clusters/other/kubeconfig');
    const refused = await run(config, ['get', '--raw', '/version']);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('403 denied The policy does not grant this');
  });

  test('of all clusters has those alone that may be used, and works for each', async () => {
    const config = await download('/v1/kubeconfig');
    const contexts = await run(config, ['config', 'get-contexts', '-o', 'name']);
    expect(contexts.stdout).toBe('web\n');
    const read = await run(config, ['--context', 'web', 'get', 'widgets', '-n', 'shop', '-o', 'name']);
    expect(read, read.stderr).toMatchObject({ code: 0, stdout: 'widget.example.com/one\n' });
  });

  test('with a service account named speaks as that one, and no other', async () => {
    const config = await download('/v1/clusters/web/kubeconfig?namespace=shop&serviceaccount=deployer');
    const read = await run(config, ['get', 'widgets', '-n', 'shop', '-o', 'name']);
    expect(read, read.stderr).toMatchObject({ code: 0, stdout: 'widget.example.com/one\n' });
    const beyond = await download('/v1/clusters/web/kubeconfig?namespace=kube-system&serviceaccount=default');
    const refused = await run(beyond, ['get', '--raw', '/version']);
    expect(refused.stderr).toContain('403 denied The policy does not grant this');
  });

  test('of a service that asks nobody who they are (--as) needs no identity of Google at all', async () => {
    await using laptop = serve('--as', 'alice@example.com');
    const config = await download('/v1/kubeconfig', await addressOf(laptop));
    const read = await run(config, ['get', 'widgets', '-n', 'shop', '-o', 'name'], {
      METADATA_SERVER_DETECTION: 'none',
    });
    expect(read, read.stderr).toMatchObject({ code: 0, stdout: 'widget.example.com/one\n' });
  });

  test('says how to get an identity, where the caller has none to show', async () => {
    const config = await download('/v1/clusters/web/kubeconfig');
    const nobody = await run(config, ['get', '--raw', '/version'], { METADATA_SERVER_DETECTION: 'none' });
    expect(nobody.stderr).toContain('gcloud auth application-default login');
  });

  test('tells where the plugin comes from, where it is not installed', async () => {
    const config = await download('/v1/clusters/web/kubeconfig');
    const env = { PATH: process.env['PATH'] ?? '' };
    const lost = await run(config, ['get', '--raw', '/version'], env);
    expect(lost.stderr).toContain('npm install --global mk8s');
  });

  test('promise 9: shows no token, neither in kubectl’s output nor in the log of the service', async () => {
    const config = await download('/v1/clusters/web/kubeconfig');
    const verbose = await run(config, ['get', 'widgets', '-n', 'shop', '-v=6']);
    expect(verbose.code, verbose.stderr).toBe(0);
    const seen = `${verbose.stdout}${verbose.stderr}${service.stdout()}${service.stderr()}`;
    expect(seen).not.toMatch(/eyJ[A-Za-z0-9_-]{20,}/);
    for (const token of issuer.issued) expect(seen).not.toContain(token.split('.')[2]);
  });
}

// kubectl with kubeconfigs whose user is `mk8s credential`: real processes, no gcloud and no other plugin. The clusters are
// sandboxes; Google and the token service are fakes on loopback.
import { execFile, execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.ts';
import type { ClusterEndpoint } from '../support/cluster-client.ts';
import { type FakeTokenService, problem, startFakeTokenService } from '../support/fake-token-service.ts';
import { type Federation, startFederation } from '../support/federation.ts';
import { kubeAssets, startKubeApiServer } from '../support/kube-apiserver.ts';
import { kubeconfigText } from '../support/kubeconfig-file.ts';
import { runMk8s } from '../support/process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const command = 'kubectl';
const mk8s = resolve(import.meta.dirname, '../../bin/mk8s.js');

function hasKubectl(): boolean {
  try {
    execFileSync(command, ['version', '--client'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

// kubectl asks more than once where it gets no answer, and each time is a process or two.
describe('mk8s credential', { timeout: 120_000 }, () => {
  let cluster: Sandbox;
  let federation: Federation;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  /** Has credentials of its own: what mk8s itself uses where it needs the cluster. */
  let admin: string;

  beforeAll(async () => {
    // What the fake STS gives first is what the cluster takes, as GKE takes Google's access tokens.
    cluster = await startSandbox({ name: 'web', token: 'ya29.d.federated-2' });
  });
  afterAll(() => cluster.stop());
  beforeEach(async () => {
    federation = await startFederation(cluster);
    folder = await temporaryFolder();
    admin = join(folder.path, 'admin');
    await writeFile(admin, federation.kubeconfig);
  });
  afterEach(async () => {
    await federation[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  /** A kubeconfig without a secret: its user is mk8s. */
  async function withPlugin(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    { url, ca: authority, token }: ClusterEndpoint = cluster,
  ): Promise<string> {
    const file = join(folder.path, 'config');
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: [mk8s, 'credential', ...args],
      env: Object.entries({ ...federation.env, ...env }).map(([name, value]) => ({ name, value })),
      interactiveMode: 'Never',
      provideClusterInfo: true,
    };
    const ca = Buffer.from(authority).toString('base64');
    const text = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'web',
      contexts: [{ name: 'web', context: { cluster: 'web', user: 'mk8s' } }],
      clusters: [{ name: 'web', cluster: { server: url, 'certificate-authority-data': ca } }],
      users: [{ name: 'mk8s', user: { exec } }],
    });
    expect(text).not.toContain(token);
    await writeFile(file, text);
    return file;
  }

  async function kubectl(kubeconfig: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder.path, KUBECONFIG: kubeconfig };
    return await promisify(execFile)(command, args, { env });
  }

  const failing = async (kubeconfig: string): Promise<string> =>
    // One request: others would be tried again several times, with a plugin run each.
    await kubectl(kubeconfig, 'get', '--raw', '/version').then(
      ({ stdout }) => expect.fail(`it worked: ${stdout}`),
      (error: { stderr: string }) => error.stderr,
    );

  describe.skipIf(!hasKubectl())('for kubectl (where it is installed)', () => {
    test("gives Google's access token, as GKE and Connect Gateway take it", async () => {
      const config = await withPlugin(['--kubeconfig', admin], {
        MK8S_GOOGLE_KUBERNETES_SERVICE_ACCOUNT: 'default/default',
      });
      expect((await kubectl(config, 'get', 'namespaces', '-o', 'name')).stdout).toContain('namespace/kube-system');
    });

    test("gives Google's access token by the current cluster's service account, where nothing else is there and none is named", async () => {
      const config = await withPlugin([], { MK8S_KUBECONFIG: admin });
      expect((await kubectl(config, 'get', 'namespaces', '-o', 'name')).stdout).toContain('namespace/kube-system');
    });

    test("gives a service account's token, where one is named", async () => {
      const config = await withPlugin(['--kubeconfig', admin, '--service-account=default']);
      expect((await kubectl(config, 'auth', 'whoami')).stdout).toContain('system:serviceaccount:default:default');
    });

    test('gives what a service grants to the identity that asks', async () => {
      await using service = await grantingService();
      const config = await withPlugin(
        ['--cluster=web-id', `--service=${service.url}`, '--audience=https://tokens.example'],
        { MK8S_KUBECONFIG: admin, MK8S_GOOGLE_KUBERNETES_SERVICE_ACCOUNT: 'default/default' },
      );
      expect((await kubectl(config, 'get', 'namespaces', '-o', 'name')).stdout).toContain('namespace/kube-system');
      expect(service.requests.map(({ target }) => target)).toEqual(['/v1/clusters/web-id/credential']);
    });

    test('asks a service as the service account of the current cluster, where nothing else is there', async () => {
      await using service = await grantingService();
      const config = await withPlugin(
        ['--cluster=web-id', `--service=${service.url}`, '--audience=https://tokens.example'],
        { MK8S_KUBECONFIG: admin },
      );
      expect((await kubectl(config, 'get', 'namespaces', '-o', 'name')).stdout).toContain('namespace/kube-system');
    });

    test('promise 9: says what the service said where it denies, and shows no token', async () => {
      await using service = await grantingService();
      service.answer = () => problem(403, 'denied', 'Denied', 'no rule grants that');
      const config = await withPlugin(['--cluster=web-id', `--service=${service.url}`], {
        MK8S_KUBECONFIG: admin,
        MK8S_GOOGLE_KUBERNETES_SERVICE_ACCOUNT: 'default/default',
      });
      const said = await failing(config);
      expect(said).toContain('Cannot get a credential for cluster "web-id"');
      expect(said).toContain('as service account default/default of cluster');
      expect(said).toContain('403 denied Denied: no rule grants that');
      const shown = String(service.requests[0]?.headers['authorization']).replace('Bearer ', '');
      expect(said).not.toContain(shown);
    });

    test('does not start itself for ever, where the cluster that it needs has it as plugin', async () => {
      const config = await withPlugin(['--service-account=default'], { KUBECONFIG: join(folder.path, 'config') });
      expect(await failing(config)).toContain('mk8s was started by itself to get a token');
    });
  });

  test.skipIf(!hasKubectl() || kubeAssets === undefined)(
    'gives kubectl the token of a service account of a real API server (where KUBEBUILDER_ASSETS has one)',
    async () => {
      await using real = await startKubeApiServer();
      const body = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'deployer' } };
      await real.client.call('POST', '/api/v1/namespaces/default/serviceaccounts', body);
      const own = join(folder.path, 'own');
      await writeFile(own, kubeconfigText({ real }));
      const config = await withPlugin([`--kubeconfig=${own}`, '--service-account=deployer'], {}, real);
      expect((await kubectl(config, 'get', '--raw', '/version')).stdout).toContain('gitVersion');
      await expect(kubectl(config, 'get', '--raw', '/api/v1/namespaces')).rejects.toThrow(
        'User "system:serviceaccount:default:deployer" cannot list resource "namespaces"',
      );
    },
  );

  describe('mk8s token prints the same by hand:', () => {
    const token = async (...args: string[]): Promise<string> => {
      const env = { ...federation.env, MK8S_KUBECONFIG: admin, HOME: folder.path };
      const { code, stdout, stderr } = await runMk8s(['token', ...args], { env });
      expect(code, stderr).toBe(0);
      expect(stderr).not.toContain(stdout.trim());
      return stdout.trim();
    };
    const claimsOf = (jwt: string): unknown =>
      JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const account = ['--google-kubernetes-service-account', 'default/default'];

    test("Google's access token", async () => {
      expect(await token('--access', ...account)).toMatch(/^ya29\.d\.federated-\d+$/);
    });

    test('an identity token of a service account that is impersonated', async () => {
      const printed = await token(
        '--identity',
        'https://a.example',
        '--as',
        federation.account,
        ...account,
        '-o',
        'json',
      );
      const { status } = JSON.parse(printed) as { status: { token: string } };
      expect(claimsOf(status.token)).toMatchObject({ aud: 'https://a.example', email: federation.account });
    });

    test('the token of a Kubernetes service account for an audience', async () => {
      const jwt = await token('--serviceaccount', 'default', '--audience', 'vault', '--duration', '10m');
      expect(claimsOf(jwt)).toMatchObject({ aud: ['vault'], sub: 'system:serviceaccount:default:default' });
    });
  });

  /** Grants the cluster's token to its service account default, shown by a JWT for the service. */
  async function grantingService(): Promise<FakeTokenService> {
    return await startFakeTokenService(({ headers }) => {
      const jwt = String(headers['authorization']).replace('Bearer ', '');
      const claims = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8')) as object;
      const known = { aud: ['https://tokens.example'], sub: 'system:serviceaccount:default:default' };
      const isHis = Object.entries(known).every(
        ([key, value]) => JSON.stringify(Reflect.get(claims, key)) === JSON.stringify(value),
      );
      if (!isHis) return problem(401, 'unauthenticated', 'Unauthenticated', 'not for this service');
      const expirationTimestamp = new Date(Date.now() + 900_000).toISOString();
      const status = { token: cluster.token, expirationTimestamp };
      const kind = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential' };
      return { status: 200, body: { ...kind, status } };
    });
  }
});

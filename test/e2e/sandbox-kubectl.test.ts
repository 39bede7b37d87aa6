// kubectl on the sandbox fleet: the commands that the README promises.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Fleet, startFleet } from '../../lib/sandbox/fleet.ts';
import { startProcess } from '../support/process.ts';

/** From the machine, not from a package. */
const command = 'kubectl';

function hasKubectl(): boolean {
  try {
    execFileSync(command, ['version', '--client'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!hasKubectl())('kubectl (where it is installed)', () => {
  let fleet: Fleet;
  let folder: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    fleet = await startFleet({ clusters: 2, objects: 40, rate: 0 });
    folder = mkdtempSync(join(tmpdir(), 'mk8s-kubectl-'));
    writeFileSync(join(folder, 'config'), fleet.kubeconfig());
    // kubectl keeps its discovery cache in its home.
    env = { PATH: process.env['PATH'] ?? '', HOME: folder, KUBECONFIG: join(folder, 'config') };
  });
  afterAll(async () => {
    await fleet?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const kubectl = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(command, args, { env });
    return stdout;
  };
  const manifest = (host: string): string => {
    const file = join(folder, 'route.yaml');
    writeFileSync(
      file,
      `apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata:\n  name: mine\n  namespace: shop\nspec:\n  hostnames: ["${host}"]\n`,
    );
    return file;
  };

  test('get prints the columns of the definition, in each cluster of the fleet', async () => {
    for (const { name } of fleet.clusters) {
      const [header, ...rows] = (await kubectl('--context', name, 'get', 'gateways', '-A')).trim().split('\n');
      expect(header).toMatch(/^NAMESPACE +NAME +CLASS +ADDRESS +PROGRAMMED +AGE$/);
      const gateways = fleet.clusters.find((cluster) => cluster.name === name)?.objects();
      expect(rows).toHaveLength(gateways?.filter(({ plural }) => plural === 'gateways').length ?? -1);
    }
    expect(await kubectl('get', 'certs', '-A', '-o', 'name')).toContain('certificate.cert-manager.io/');
    expect(await kubectl('api-resources', '-o', 'name')).toContain('virtualservices.networking.istio.io');
  });

  test('apply creates, configures, and leaves alone what is the same', async () => {
    expect(await kubectl('apply', '-f', manifest('a.example.com'))).toContain('mine created');
    expect(await kubectl('apply', '-f', manifest('b.example.com'))).toContain('mine configured');
    expect(await kubectl('apply', '-f', manifest('b.example.com'))).toContain('mine unchanged');
    expect(await kubectl('get', 'httproute', 'mine', '-n', 'shop', '-o', 'jsonpath={.spec.hostnames}')).toBe(
      '["b.example.com"]',
    );
  });

  test('apply --server-side tells of conflicts, and wins by force', async () => {
    await kubectl(
      'apply',
      '--server-side',
      '--field-manager',
      'alice',
      '--force-conflicts',
      '-f',
      manifest('c.example.com'),
    );
    const bob = ['apply', '--server-side', '--field-manager', 'bob', '-f', manifest('d.example.com')];
    await expect(kubectl(...bob)).rejects.toThrow(/conflict with "alice".*: \.spec\.hostnames/s);
    expect(await kubectl(...bob, '--force-conflicts')).toContain('serverside-applied');
  });

  test('apply is told of a field that the schema does not know', async () => {
    const file = join(folder, 'wrong.yaml');
    writeFileSync(
      file,
      'apiVersion: cert-manager.io/v1\nkind: Issuer\nmetadata: {name: wrong, namespace: shop}\nspec: {acmee: {}}\n',
    );
    await expect(kubectl('apply', '-f', file)).rejects.toThrow(/unknown field "spec\.acmee"/);
  });

  test('get -w shows changes as they happen', async () => {
    await using watching = startProcess(command, ['get', 'httproutes', '-n', 'shop', '-w', '-o', 'name'], { env });
    await watching.waitFor('the first objects', ({ stdout }) => stdout.includes('httproute'));
    const collection = { group: 'gateway.networking.k8s.io', plural: 'httproutes', namespace: 'shop' };
    const body = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'live' },
      spec: {},
    };
    fleet.clusters[0]?.client.create(collection, body);
    await watching.waitFor('the new one', ({ stdout }) => stdout.includes('/live'));
  });

  test('delete deletes', async () => {
    expect(await kubectl('delete', 'httproute', 'mine', '-n', 'shop')).toContain('deleted');
    await expect(kubectl('get', 'httproute', 'mine', '-n', 'shop')).rejects.toThrow(/NotFound/);
  });

  test('create token gives a token that may read what service accounts may', async () => {
    const token = (await kubectl('create', 'token', 'default', '--duration', '10m')).trim();
    const cluster = fleet.clusters[0];
    const config = join(folder, 'bearer');
    // Without the context's own user, whose token would count first.
    const only = fleet.kubeconfig().replaceAll(cluster?.token ?? '', token);
    writeFileSync(config, only);
    const reader = ['--kubeconfig', config];
    expect(await kubectl(...reader, 'auth', 'whoami')).toContain('system:serviceaccount:default:default');
    expect(await kubectl(...reader, 'get', 'gateways', '-A', '-o', 'name')).toContain('gateway');
    await expect(kubectl(...reader, 'get', 'secrets', '-A')).rejects.toThrow(/Forbidden/);
    await expect(kubectl('create', 'token', 'default', '--duration', '5m')).rejects.toThrow(/10 minutes/);
  });
});

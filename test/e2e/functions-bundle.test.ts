// The functions as an image has them: bundled (rolldown.config.ts), under the functions framework.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { installPackage } from '../../bench/installed-package.ts';
import { createClient } from '../../lib/client/client.ts';
import { type Fleet, startFleet } from '../../lib/sandbox/fleet.ts';
import { type FakeIssuer, issuerKey, startFakeIssuer } from '../support/fake-issuer.ts';
import { type RunningProcess, startProcess } from '../support/process.ts';
import {
  type RunningFunction,
  startFunction,
  writeKeptInventory,
  writeSandboxPolicy,
} from '../support/running-functions.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

let folder: TemporaryFolder;
let issuer: FakeIssuer;
let fleet: Fleet;
let bundle: string;
let policy: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  bundle = join(installPackage(join(folder.path, 'package')), 'dist/bundle');
  issuer = await startFakeIssuer();
  fleet = await startFleet({ clusters: 1, objects: 1, rate: 0 });
  policy = join(folder.path, 'policy.yaml');
  writeSandboxPolicy(policy, issuer);
});
afterAll(async () => {
  await fleet.stop();
  await issuer[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const start = (target: 'clusters' | 'tokens', env: Readonly<Record<string, string>>): Promise<RunningFunction> =>
  startFunction(target, { source: join(bundle, `${target}.mjs`), policy, issuer, env });

describe('the bundled function of lists', () => {
  let url: string;
  let running: RunningProcess;

  beforeAll(async () => {
    const data = join(folder.path, 'data');
    await writeKeptInventory(data);
    ({ url, running } = await start('clusters', { MK8S_DATA: data }));
  });
  afterAll(async () => await running[Symbol.asyncDispose]());

  const ask = async (path: string, token: string, accept = 'application/json'): Promise<Response> =>
    await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}`, accept } });

  test('answers from the store that a run wrote, in JSON and in YAML', async () => {
    const { clusters } = await createClient({ url, token: () => issuer.token(url) }).listClusters();
    expect(clusters).toMatchObject([{ name: 'kept-a', id: 'id-kept-a' }]);
    const yaml = await (await ask('/v1/clusters', issuer.token(url), 'application/yaml')).text();
    expect(yaml).toMatch(/^clusters:\n/);
    expect(parse(yaml)).toMatchObject({ clusters });
  });

  test('answers nobody whose token does not hold', async () => {
    const stranger = { ...issuerKey(), kid: issuer.key().kid };
    const tokens = [issuer.token('https://other.example.com'), issuer.token(url, { key: stranger }), 'x'];
    for (const token of tokens) expect((await ask('/v1/clusters', token)).status).toBe(401);
    expect((await fetch(`${url}/v1/clusters`)).status).toBe(401);
  });

  test('describes itself, with the version of the package', async () => {
    expect(await (await fetch(`${url}/openapi.json`)).json()).toMatchObject({ info: { version } });
    expect(await (await fetch(`${url}/docs`)).text()).toContain('<html');
  });
});

test('the bundled function of tokens mints one for a cluster that it discovers', async () => {
  const kubeconfig = join(folder.path, 'kubeconfig');
  writeFileSync(kubeconfig, fleet.kubeconfig());
  const { url, running } = await start('tokens', {
    MK8S_SOURCE: 'kubeconfig',
    MK8S_KUBECONFIG: kubeconfig,
    MK8S_DATA: join(folder.path, 'none'),
  });
  await using _ = running;
  const { status } = await createClient({ url, token: () => issuer.token(url) }).requestServiceAccountToken({
    path: { cluster: 'sandbox-a', namespace: 'default', serviceaccount: 'default' },
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' },
  });
  expect(status.token.split('.')).toHaveLength(3);
  expect(running.stdout()).toContain('"decision":"minted"');
});

describe('the bundle', () => {
  const read = (file: string): string => readFileSync(join(bundle, file), 'utf8');

  /** What a start reads, and the packages that it finds there. */
  function startOf(file: string, seen = new Set<string>()): ReadonlySet<string> {
    if (seen.has(file)) return seen;
    seen.add(file);
    if (!file.startsWith('./')) return seen;
    for (const [, name = ''] of read(file).matchAll(/^(?:import|export) (?:[^;]* from )?"([^"]+)";$/gm)) {
      startOf(name, seen);
    }
    return seen;
  }

  test.each(['clusters', 'tokens'])('has all that a start of %s needs in one file, and loads no package', (name) => {
    expect([...startOf(`./${name}.mjs`)]).toEqual([`./${name}.mjs`, './start.mjs']);
  });

  test('has parts that can be loaded, each, and the licences of what is in it', async () => {
    const files = readdirSync(bundle).filter((name) => name.endsWith('.mjs') && !/^(?:clusters|tokens)\./.test(name));
    expect(files.length).toBeGreaterThan(10);
    const code = `for (const file of ${JSON.stringify(files)}) await import(${JSON.stringify(`${bundle}/`)} + file)`;
    await using loading = startProcess(process.execPath, ['--input-type=module', '-e', code], { cwd: resolve(bundle) });
    expect({ ...(await loading.exit), stderr: loading.stderr() }).toMatchObject({ code: 0, stderr: '' });
    expect(read('LICENSE-valibot')).toContain('MIT License');
    expect(read('LICENSE-yaml')).toContain('Permission to use');
  });
});

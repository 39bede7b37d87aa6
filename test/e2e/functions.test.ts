// The functions as they are run: `mk8s serve` and the functions framework, as processes.
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient, ProblemError } from '../../lib/client/client.ts';
import { type Fleet, startFleet } from '../../lib/sandbox/fleet.ts';
import { type FakeIssuer, startFakeIssuer } from '../support/fake-issuer.ts';
import { type RunningProcess, startMk8s, startProcess } from '../support/process.ts';
import { startFunction, writeKeptInventory, writeSandboxPolicy } from '../support/running-functions.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

const root = resolve(import.meta.dirname, '../..');

let folder: TemporaryFolder;
let issuer: FakeIssuer;
let fleet: Fleet;
let policy: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  issuer = await startFakeIssuer();
  fleet = await startFleet({ clusters: 2, objects: 5, rate: 0 });
  writeFileSync(join(folder.path, 'kubeconfig'), fleet.kubeconfig());
  policy = join(folder.path, 'policy.yaml');
  writeSandboxPolicy(policy, issuer);
});
afterAll(async () => {
  await fleet.stop();
  await issuer[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

describe('mk8s serve', () => {
  let serve: RunningProcess;
  let url: string;

  beforeAll(async () => {
    const kubeconfig = join(folder.path, 'kubeconfig');
    const flags = [
      '--source',
      'kubeconfig',
      '--kubeconfig',
      kubeconfig,
      '--policy',
      policy,
      '--issuers',
      issuer.issuer,
    ];
    serve = startMk8s(['serve', '--port', '0', ...flags, '--data', join(folder.path, 'none')]);
    url = await serve.waitFor('its address', ({ stdout }) => /"url":"([^"]+)"/.exec(stdout)?.[1]);
  });
  afterAll(async () => await serve[Symbol.asyncDispose]());

  const client = () => createClient({ url, token: () => issuer.token(url) });

  test('lists clusters and mints tokens for the generated client, which throws problems', async () => {
    const { clusters } = await client().listClusters();
    expect(clusters.map(({ name }) => name)).toEqual(['sandbox-a', 'sandbox-b']);
    const path = { cluster: 'sandbox-a', namespace: 'default', serviceaccount: 'default' };
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' } as const;
    const { status } = await client().requestServiceAccountToken({ path, body });
    expect(status.token.split('.')).toHaveLength(3);
    const refused = client().requestServiceAccountToken({ path: { ...path, cluster: 'sandbox-b' }, body });
    await expect(refused).rejects.toThrow(ProblemError);
    await expect(refused).rejects.toMatchObject({ status: 403, type: 'https://mk8s.dev/problems/denied' });
    expect(serve.stdout()).toContain('"decision":"minted"');
    expect(serve.stdout()).not.toContain(status.token.split('.')[2]);
  });

  test('ends in order, after requests under way, when it is told to', async () => {
    const exit = serve.kill('SIGTERM');
    expect(await exit).toEqual({ code: 0, signal: null });
    expect(serve.stdout()).toContain('mk8s has ended in order');
  });

  test('does not start with a policy that is wrong, and says the line', async () => {
    const wrong = join(folder.path, 'wrong.yaml');
    writeFileSync(wrong, 'version: 1\nrules:\n  - {name: x, grant: everything}\n');
    await using process = startMk8s(['serve', '--port', '0', '--policy', wrong]);
    expect((await process.exit).code).toBe(2);
    expect(process.stderr()).toContain('wrong.yaml:3: rules[0].grant must be one of');
  });

  test('takes everyone for one caller on loopback alone', async () => {
    await using process = startMk8s(['serve', '--port', '0', '--host', '0.0.0.0', '--as', 'alice@example.com']);
    expect((await process.exit).code).toBe(2);
    expect(process.stderr()).toContain('--as makes everyone who reaches the port that caller');
  });
});

describe('the function of lists, under the functions framework', () => {
  let running: RunningProcess;
  let url: string;

  beforeAll(async () => {
    const data = join(folder.path, 'data');
    await writeKeptInventory(data);
    const source = join(root, 'functions/clusters.ts');
    ({ url, running } = await startFunction('clusters', { source, policy, issuer, env: { MK8S_DATA: data } }));
  });
  afterAll(async () => await running[Symbol.asyncDispose]());

  test('answers from the store that a run wrote, without a cluster to be found', async () => {
    const { clusters } = await createClient({ url, token: () => issuer.token(url) }).listClusters();
    expect(clusters).toMatchObject([{ name: 'kept-a', id: 'id-kept-a' }]);
  });

  test.each<[string, string, RequestInit, number]>([
    ['no JSON', '/v1/clusters', { method: 'POST', body: '{bad', headers: { 'content-type': 'application/json' } }, 405],
    [
      'a form that does not decode',
      '/v1/token',
      { method: 'POST', body: '%zz=%', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      404,
    ],
    [
      'a body that is too large',
      '/v1/clusters',
      { method: 'POST', body: 'x'.repeat(100_000), headers: { 'content-type': 'application/json' } },
      413,
    ],
    ['a path that does not decode', '/%zz', {}, 400],
    ['no token', '/v1/clusters', {}, 401],
  ])('refuses %s in the one shape, although the framework would look at it first', async (_, path, init, status) => {
    const response = await fetch(`${url}${path}`, init);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ status, type: expect.stringContaining('/problems/') as string });
  });

  test('does not start where a token would be for nobody', async () => {
    const code = `await import(${JSON.stringify(join(root, 'functions/clusters.ts'))})`;
    await using process_ = startProcess(process.execPath, ['--input-type=module', '-e', code]);
    expect((await process_.exit).code).toBe(1);
    expect(process_.stderr()).toContain('MK8S_SERVE_URL must be the URL of this function');
  });
});

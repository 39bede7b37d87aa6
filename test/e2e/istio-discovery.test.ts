// Istio's remote secrets as a user meets them: clusters that join and leave by a Secret, and kubeconfigs that are not trusted.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.ts';
import { type ClusterClient, clusterClient } from '../support/cluster-client.ts';
import { kubeconfigText } from '../support/kubeconfig-file.ts';
import { runMk8s, startMk8s } from '../support/process.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

const secrets = '/api/v1/namespaces/istio-system/secrets';

describe('clusters of Istio remote secrets', () => {
  let home: Sandbox;
  let remote: Sandbox;
  let client: ClusterClient;
  let folder: TemporaryFolder;
  let kubeconfig: string;

  beforeEach(async () => {
    home = await startSandbox({ name: 'home' });
    remote = await startSandbox({ name: 'remote' });
    client = clusterClient(home);
    folder = await temporaryFolder();
    kubeconfig = join(folder.path, 'kubeconfig');
    await writeFile(kubeconfig, kubeconfigText({ home }));
    await client.call('POST', '/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'istio-system' },
    });
  });
  afterEach(async () => {
    await client[Symbol.asyncDispose]();
    await Promise.all([home.stop(), remote.stop()]);
    await folder[Symbol.asyncDispose]();
  });

  async function addSecret(name: string, clusters: Readonly<Record<string, string>>): Promise<void> {
    const data = Object.fromEntries(
      Object.entries(clusters).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
    );
    const metadata = { name, namespace: 'istio-system', labels: { 'istio/multiCluster': 'true' } };
    await client.call('POST', secrets, { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data });
  }

  const flags = (): string[] => ['--source', 'kubeconfig,istio', '--kubeconfig', kubeconfig];

  test('are listed, several in one Secret, and what is not trusted is named and left out', async () => {
    const good = kubeconfigText({ remote });
    const exec = 'users: [{name: u, user: {exec: {command: /bin/sh, apiVersion: client.authentication.k8s.io/v1}}}]';
    const evil = [
      'apiVersion: v1',
      'kind: Config',
      'current-context: c',
      'contexts: [{name: c, context: {cluster: c, user: u}}]',
      'clusters: [{name: c, cluster: {server: "http://169.254.169.254", certificate-authority: /etc/passwd}}]',
      exec,
    ].join('\n');
    await addSecret('istio-remote-secret', { remote: good, evil });
    const all = await runMk8s(['clusters', ...flags(), '--allow-servers', '127.0.0.1', '-o', 'json']);
    const { clusters } = JSON.parse(all.stdout) as { clusters: { id: string; name: string; sources: string[] }[] };
    expect(clusters.map(({ id, name, sources }) => ({ id, name, sources }))).toEqual([
      { id: home.uid, name: 'home', sources: ['kubeconfig'] },
      { id: remote.uid, name: 'remote', sources: ['istio'] },
    ]);
    const said = 'Secret istio-system/istio-remote-secret of cluster "home", key evil';
    expect(all.stderr).toContain(said);
    for (const part of [
      'certificate-authority',
      'an unencrypted server',
      'this machine or its platform',
      'an exec plugin',
    ]) {
      expect(all.stderr).toContain(part);
    }
    const strict = await runMk8s(['clusters', ...flags(), '-o', 'name']);
    expect(strict.stdout).toBe('home\n');
    expect(strict.stderr).toContain('key remote, context "remote" is not used');
    expect(`${all.stdout}${all.stderr}${strict.stderr}`).not.toContain(remote.token);
  });

  test('join and leave a run by their Secrets, at once', async () => {
    const args = ['run', ...flags(), '--allow-servers', '127.0.0.1', '--data', join(folder.path, 'data')];
    await using run = startMk8s([...args, '--resources', 'namespaces', '--view', 'log', '--log-level', 'debug']);
    await run.waitFor('home to be followed', ({ stdout, stderr }) =>
      `${stdout}${stderr}`.includes('Following namespaces in cluster \\"home\\"'),
    );
    await addSecret('late', { remote: kubeconfigText({ remote }) });
    await run.waitFor(
      'remote to be followed',
      ({ stdout, stderr }) => `${stdout}${stderr}`.includes('Following namespaces in cluster \\"remote\\"'),
      // Sooner than the next reading at an interval.
      20_000,
    );
    await client.call('DELETE', `${secrets}/late`);
    const status = async (): Promise<string> =>
      (await runMk8s(['status', '--data', join(folder.path, 'data'), '-o', 'json'])).stdout;
    await expect.poll(status, { timeout: 20_000 }).toMatch(/"stopped"/);
    expect((await run.kill('SIGTERM')).code).toBe(0);
  });
});

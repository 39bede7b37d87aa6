// The transport against a genuine kube-apiserver: what recordings and our own servers may get wrong.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kubeconfigSource } from '../../lib/adapters/kubernetes/kubeconfig.ts';
import type { ApiServer } from '../../lib/ports/api-server.ts';
import { type KubeApiServer, kubeAssets, startKubeApiServer } from '../support/kube-apiserver.ts';
import { kubeconfigText } from '../support/kubeconfig-file.ts';
import { readText } from '../support/read-body.ts';

describe.skipIf(kubeAssets === undefined)(
  'the transport, with a kubeconfig, on a real API server (KUBEBUILDER_ASSETS)',
  () => {
    let kube: KubeApiServer;
    let folder: string;

    beforeAll(async () => {
      kube = await startKubeApiServer();
      folder = await mkdtemp(join(tmpdir(), 'mk8s-test-'));
    }, 60_000);

    afterAll(async () => {
      await kube[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    });

    async function connect(user: object = {}): Promise<ApiServer> {
      const config = JSON.parse(kubeconfigText({ one: kube })) as { users: { name: string; user: object }[] };
      const path = join(folder, 'config');
      const users = config.users.map(({ name, user: given }) => ({ name, user: { ...given, ...user } }));
      await writeFile(path, JSON.stringify({ ...config, users }));
      const { candidates, problems } = await kubeconfigSource({ env: {}, home: folder, path }).discover();
      expect(problems).toEqual([]);
      const api = candidates[0]?.connect();
      if (api === undefined) throw new Error('no candidate');
      return api;
    }

    async function createConfigMap(api: ApiServer, name: string, data: string): Promise<void> {
      const answer = await api.request({
        method: 'POST',
        path: '/api/v1/namespaces/default/configmaps',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { text: data } }),
      });
      expect(await readText(answer)).toContain(name);
      expect(answer.status).toBe(201);
    }

    test('a large list comes compressed and is read whole', async () => {
      const api = await connect();
      for (let i = 0; i < 5; i++) await createConfigMap(api, `big-${i}`, 'ü'.repeat(100_000));
      const answer = await api.request({ path: '/api/v1/namespaces/default/configmaps' });
      expect(answer.headers).toMatchObject({ 'content-encoding': 'gzip' });
      const { items } = JSON.parse(await readText(answer)) as { items: { data: { text?: string } }[] };
      expect(items.filter(({ data }) => data.text?.length === 100_000)).toHaveLength(5);
      await api.close();
    });

    test('a wrong token is a 401 response, and impersonation takes effect', async () => {
      const wrong = await connect({ token: 'wrong' });
      expect((await wrong.request({ path: '/api/v1/namespaces' })).status).toBe(401);
      const joe = await connect({
        as: 'joe',
        'as-groups': ['a', 'b'],
        'as-user-extra': { 'example.com/scope': ['x'] },
      });
      const denied = await joe.request({ path: '/api/v1/namespaces' });
      expect(denied.status).toBe(403);
      expect(await readText(denied)).toContain('User \\"joe\\" cannot list');
      await Promise.all([wrong.close(), joe.close()]);
    });

    test('sixty watches are open at once; a clean end is an end, a killed server an interruption', async () => {
      const api = await connect();
      const query = { watch: true, resourceVersion: '0' };
      const watches = await Promise.all(
        Array.from({ length: 60 }, () =>
          api.request({ path: '/api/v1/namespaces/default/configmaps', query: { ...query, timeoutSeconds: 60 } }),
        ),
      );
      expect(
        await readText(await api.request({ path: '/api/v1/services', query: { ...query, timeoutSeconds: 1 } })),
      ).toContain('"name":"kubernetes"');
      const ends = watches.map((watch) => readText(watch).catch((error: unknown) => error));
      await kube.kill();
      for (const end of await Promise.all(ends)) expect(end).toMatchObject({ code: 'interrupted', retryable: true });
      await expect(api.request({ path: '/version' })).rejects.toMatchObject({ code: 'unreachable', retryable: true });
      await kube.restart();
      expect((await api.request({ path: '/version' })).status).toBe(200);
      await api.close();
    }, 60_000);
  },
);

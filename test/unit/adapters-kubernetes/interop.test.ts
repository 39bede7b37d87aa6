import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiException, CoreV1Api, CustomObjectsApi, KubeConfig } from '@kubernetes/client-node';
import { describe, expect, test } from 'vitest';
import { clientNodeApi, clientNodeKubeConfig } from '../../../lib/adapters/kubernetes/interop.ts';
import type { KubeconfigDocument } from '../../../lib/adapters/kubernetes/kubeconfig-load.ts';
import { fakeApiServer, jsonAnswer, statusAnswer } from '../../support/fake-api-server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const list = {
  apiVersion: 'v1',
  kind: 'ConfigMapList',
  metadata: { resourceVersion: '5' },
  items: [{ metadata: { name: 'x' } }],
};

function document(user: KubeconfigDocument['users'][number]['user']): KubeconfigDocument {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: 'https://c.example', 'tls-server-name': 'kube' } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'a', context: { cluster: 'c', user: 'u', namespace: 'team-a' } }],
    'current-context': 'a',
  };
}

async function authorization(config: KubeConfig): Promise<unknown> {
  const options: { headers: Record<string, string> } = { headers: {} };
  await config.applyToHTTPSOptions(options);
  return options.headers['Authorization'];
}

describe('an API class of client-node', () => {
  test('sends its requests over our connections, below the path of the server', async () => {
    const api = fakeApiServer(() => jsonAnswer(list));
    const core = clientNodeApi(CoreV1Api, 'https://proxy.example/k8s/clusters/c-1', (request) => api.request(request));
    const answer = await core.listNamespacedConfigMap({ namespace: 'team a', labelSelector: 'a=b,c', limit: 5 });
    expect(answer.items[0]?.metadata?.name).toBe('x');
    expect(api.requests[0]).toMatchObject({
      method: 'GET',
      path: '/api/v1/namespaces/team%20a/configmaps',
      query: { labelSelector: 'a=b,c', limit: '5' },
    });
    expect(api.open()).toBe(0);
  });

  test('sends bodies with their content type', async () => {
    const api = fakeApiServer(() => jsonAnswer({ kind: 'Widget' }, 201));
    const custom = clientNodeApi(CustomObjectsApi, 'https://c.example', (request) => api.request(request));
    const body = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'x' } };
    await custom.createNamespacedCustomObject({
      group: 'example.com',
      version: 'v1',
      namespace: 'n',
      plural: 'widgets',
      body,
    });
    expect(api.requests[0]).toMatchObject({ method: 'POST', headers: { 'Content-Type': 'application/json' } });
    expect(JSON.parse(api.requests[0]?.body as string)).toEqual(body);
  });

  test('throws its own exception for an HTTP status', async () => {
    const api = fakeApiServer(() => statusAnswer(404, 'NotFound', 'configmaps "x" not found'));
    const core = clientNodeApi(CoreV1Api, 'https://c.example', (request) => api.request(request));
    const error: unknown = await core
      .readNamespacedConfigMap({ name: 'x', namespace: 'n' })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiException);
    expect(error).toMatchObject({ code: 404 });
  });
});

describe('a KubeConfig of client-node', () => {
  test('has the context, its cluster and its user', async () => {
    const config = clientNodeKubeConfig(document({ token: 'hunter2' }));
    expect(config).toBeInstanceOf(KubeConfig);
    expect(config.getCurrentContext()).toBe('a');
    expect(config.getContextObject('a')?.namespace).toBe('team-a');
    expect(config.getCurrentCluster()).toMatchObject({ server: 'https://c.example', tlsServerName: 'kube' });
    expect(await authorization(config)).toBe('Bearer hunter2');
  });

  test('reads a token file anew for each request, without the newline at its end', async () => {
    await using folder = await temporaryFolder();
    const tokenFile = join(folder.path, 'token');
    await writeFile(tokenFile, 'one\n');
    const config = clientNodeKubeConfig(document({ tokenFile, token: 'old' }));
    expect(await authorization(config)).toBe('Bearer one');
    await writeFile(tokenFile, 'two\n');
    expect(await authorization(config)).toBe('Bearer two');
  });
});

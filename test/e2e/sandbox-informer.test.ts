// The informer of @kubernetes/client-node on the sandbox: it must believe that this is a Kubernetes API server.
import {
  CustomObjectsApi,
  KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
} from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kubeconfig } from '../../lib/sandbox/kubeconfig.ts';
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.ts';
import { createWidget, defineWidgets, path, widget } from '../unit/sandbox/widgets.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
  await defineWidgets(sandbox.client);
});
afterAll(() => sandbox.stop());

test('an informer sees what was there, and each change once, in order', async () => {
  createWidget(sandbox, 'before');
  const config = new KubeConfig();
  config.loadFromString(kubeconfig([sandbox]));
  const api = config.makeApiClient(CustomObjectsApi);
  const list = async (): Promise<KubernetesListObject<KubernetesObject>> =>
    api.listCustomObjectForAllNamespaces({ group: 'example.com', version: 'v1', resourcePlural: 'widgets' });
  const informer = makeInformer(config, path, list);
  const seen: string[] = [];
  const last = Promise.withResolvers<void>();
  for (const verb of ['add', 'update', 'delete'] as const) {
    informer.on(verb, ({ metadata }) => {
      seen.push(`${verb} ${metadata?.name}`);
      if (verb === 'delete') last.resolve();
    });
  }
  informer.on('error', (error: unknown) => last.reject(error));
  await informer.start();
  await sandbox.control.watches(1);
  createWidget(sandbox, 'after');
  sandbox.client.patch(widget('after'), { spec: { size: 2 } });
  sandbox.client.delete(widget('before'));
  await last.promise;
  await informer.stop();
  expect(seen).toEqual(['add before', 'add after', 'update after', 'delete before']);
});

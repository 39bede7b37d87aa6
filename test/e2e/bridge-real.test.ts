// The end-to-end cases on two real API servers, each with its own etcd.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe } from 'vitest';
import type { TestCluster } from '../support/bridge-world.ts';
import { kubeAssets, startKubeApiServer } from '../support/kube-apiserver.ts';
import { describeBridge } from './bridge-suite.ts';

async function realCluster(name: string): Promise<TestCluster> {
  const server = await startKubeApiServer();
  return {
    name,
    endpoint: server,
    client: server.client,
    kill: () => server.kill(),
    start: () => server.restart(),
    // The watch cache starts anew with what etcd has then, and etcd has forgotten what was before.
    async forget() {
      await server.compact();
      await server.restart();
    },
    async backup() {
      const file = join(server.folder, `snapshot-${randomUUID()}`);
      await server.snapshot(file);
      return () => server.restore(file);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

describe.skipIf(kubeAssets === undefined)('on real API servers (KUBEBUILDER_ASSETS)', () => {
  describeBridge('the bridge', () => Promise.all([realCluster('east'), realCluster('west')]));
});

// A real API server with its etcd as a cluster that a test may hurt.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { startKubeApiServer } from './kube-apiserver.ts';
import type { FragileCluster } from './test-cluster.ts';

/** Starts one; needs KUBEBUILDER_ASSETS. */
export async function realCluster(name: string): Promise<FragileCluster> {
  const server = await startKubeApiServer();
  return {
    name,
    endpoint: server,
    client: server.client,
    kill: () => server.kill(),
    start: () => server.restart(),
    freeze: () => server.freeze(),
    thaw: () => server.thaw(),
    killStore: () => server.killEtcd(),
    startStore: () => server.restartEtcd(),
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

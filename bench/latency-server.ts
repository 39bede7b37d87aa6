// A child process with the cluster of the latency benchmark: a real kube-apiserver with etcd where KUBEBUILDER_ASSETS is set,
// else the sandbox; with one custom resource and its objects. Argument: how many objects. Tells its parent how to get in.
import { startSandbox } from '../lib/sandbox/sandbox.ts';
import { type ClusterEndpoint, clusterClient } from '../test/support/cluster-client.ts';
import { createCrd, createNamespaces, putObject } from '../test/support/crd.ts';
import { kubeAssets, startKubeApiServer } from '../test/support/kube-apiserver.ts';
import { NAMESPACE, objectName, RESOURCE } from './latency-stamps.ts';

export interface LatencyServerStarted extends ClusterEndpoint {
  readonly name: string;
}

const server =
  kubeAssets === undefined
    ? { ...(await startSandbox()), server: 'sandbox' }
    : { ...(await startKubeApiServer()), server: 'kube-apiserver 1.20' };
const { url, token, ca } = server;
const client = clusterClient({ url, token, ca });
await createCrd(client, RESOURCE);
await createNamespaces(client, [NAMESPACE]);
// About 2 KB, as small configuration objects are.
const text = 'the quick brown fox jumps over the lazy dog '.repeat(40);
for (let n = 0; n < Number(process.argv[2]); n++) {
  await putObject(client, RESOURCE, { namespace: NAMESPACE, name: objectName(n) }, { stamp: '', text });
}
process.send?.({ url, token, ca, name: server.server } satisfies LatencyServerStarted);
process.on('disconnect', () => {
  const ended = 'stop' in server ? server.stop() : server[Symbol.asyncDispose]();
  void Promise.resolve(ended).finally(() => process.exit(0));
});

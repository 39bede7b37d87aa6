// Two sandbox clusters in this process, as clusters that a test may hurt. They answer streaming lists as today's servers do.
import { join } from 'node:path';
import { createAuthority } from '../../lib/sandbox/certificate.ts';
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.ts';
import { clusterClient } from './cluster-client.ts';
import { temporaryFolder } from './temporary-folder.ts';
import type { TestCluster } from './test-cluster.ts';

export function sandboxPair(): Promise<readonly [TestCluster, TestCluster]> {
  return Promise.all([sandboxCluster('east'), sandboxCluster('west')]);
}

async function sandboxCluster(name: string): Promise<TestCluster> {
  const folder = await temporaryFolder();
  const options = { name, file: join(folder.path, 'cluster'), authority: createAuthority(`${name}-ca`, Date.now()) };
  let sandbox: Sandbox = await startSandbox(options);
  let up = true;
  const { url, token, ca, tokenKey } = sandbox;
  const client = clusterClient({ url, token, ca });
  return {
    name,
    endpoint: { url, token, ca },
    client,
    async kill() {
      sandbox.control.drop();
      await sandbox.stop();
      up = false;
    },
    async start() {
      sandbox = await startSandbox({ ...options, port: Number(new URL(url).port), token, tokenKey });
      up = true;
    },
    async forget() {
      sandbox.control.compact();
    },
    async backup() {
      const snapshot = sandbox.control.snapshot();
      return async () => sandbox.control.rewind(snapshot);
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      if (up) await sandbox.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

// The end-to-end cases on two sandbox clusters, which answer streaming lists as today's servers do.
import { join } from 'node:path';
import { createAuthority } from '../../lib/sandbox/certificate.ts';
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.ts';
import { clusterClient } from '../support/cluster-client.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { TestCluster } from '../support/test-cluster.ts';
import { describeBridge } from './bridge-suite.ts';

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

describeBridge('the bridge on the sandbox', () => Promise.all([sandboxCluster('east'), sandboxCluster('west')]));

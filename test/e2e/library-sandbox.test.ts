// The library on the sandbox, which answers streaming lists and aggregated discovery as today's servers do.
import { startSandbox } from '../../lib/sandbox/sandbox.ts';
import { clusterClient } from '../support/cluster-client.ts';
import { describeLibrary } from './library-suite.ts';

describeLibrary('the library on the sandbox', async () => {
  const sandbox = await startSandbox({ name: 'east' });
  const { url, token, ca } = sandbox;
  const client = clusterClient({ url, token, ca });
  return {
    endpoint: { url, token, ca },
    client,
    forget: () => Promise.resolve(sandbox.control.compact()),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await sandbox.stop();
    },
  };
});

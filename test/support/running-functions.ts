// The functions as processes, under the functions framework, and what their tests start them with.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { openDataFolder } from '../../lib/adapters/disk/data-folder.ts';
import { systemClock } from '../../lib/async/system-clock.ts';
import type { FakeIssuer } from './fake-issuer.ts';
import { freePort } from './free-port.ts';
import { testClusterInfo } from './function-world.ts';
import { type RunningProcess, startProcess } from './process.ts';

const require = createRequire(import.meta.url);
const framework = require.resolve('@google-cloud/functions-framework').replace(/index\.js$/, 'main.js');

export interface RunningFunction {
  readonly url: string;
  readonly running: RunningProcess;
}

/** `source`: the function's file. Its URL, the policy and the issuer are settled; `env` says where its clusters come from. */
export async function startFunction(
  target: 'clusters' | 'tokens',
  options: {
    readonly source: string;
    readonly policy: string;
    readonly issuer: FakeIssuer;
    readonly env: Readonly<Record<string, string>>;
  },
): Promise<RunningFunction> {
  const { source, policy, issuer, env } = options;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = [framework, `--source=${source}`, `--target=${target}`, `--port=${port}`];
  const asked = { MK8S_SERVE_URL: url, MK8S_SERVE_POLICY: policy, MK8S_SERVE_ISSUERS: issuer.issuer };
  const running = startProcess(process.execPath, args, { env: { ...asked, ...env } });
  await running.waitFor('its start', ({ stdout }) => stdout.includes('URL:'));
  return { url, running };
}

/** A policy that lets alice@example.com see all clusters and mint tokens of sandbox-a's default account. */
export function writeSandboxPolicy(path: string, issuer: FakeIssuer): void {
  const callers = JSON.stringify([{ issuer: issuer.issuer, email: 'alice@example.com' }]);
  writeFileSync(
    path,
    `version: 1
rules:
  - {name: read, grant: clusters, callers: ${callers}, clusters: ['*']}
  - {name: mint, grant: service-account-tokens, callers: ${callers}, clusters: [sandbox-a], namespaces: [default],
     serviceAccounts: [default], audiences: [api-server]}
`,
  );
}

/** A data folder as a run leaves it that found the cluster `kept-a`. */
export async function writeKeptInventory(path: string): Promise<void> {
  const store = openDataFolder({ path, clock: systemClock, host: 'here' });
  await store.inventory.write({ clusters: [testClusterInfo('kept-a')], at: Date.now() });
  await store.close();
}

// A sandbox cluster in a process of its own, as a cluster that a test may hurt. Its server and its store are one process.
import { randomBytes, randomUUID } from 'node:crypto';
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createAuthority } from '../../lib/sandbox/certificate.ts';
import { clusterClient } from '../support/cluster-client.ts';
import { freePort } from '../support/free-port.ts';
import { type RunningProcess, startProcess } from '../support/process.ts';
import type { FragileCluster } from '../support/test-cluster.ts';
import type { SandboxIntroduction, SandboxSettings } from './sandbox-server.ts';

const program = join(import.meta.dirname, 'sandbox-server.ts');

/** `folder`: for its database and backups; the caller removes it. */
export async function sandboxCluster(name: string, folder: string): Promise<FragileCluster> {
  const store = join(folder, name);
  await mkdir(store, { recursive: true });
  const token = randomBytes(24).toString('base64url');
  let settings: SandboxSettings = {
    name,
    file: join(store, 'cluster.db'),
    port: await freePort(),
    token,
    authority: createAuthority(`${name}-ca`, Date.now()),
  };
  let running: RunningProcess | undefined;

  async function start(): Promise<SandboxIntroduction> {
    running = startProcess(process.execPath, [program, JSON.stringify(settings)]);
    const line = await running.waitFor('its address', ({ stdout }) =>
      stdout.split('\n').find((text) => text.startsWith('{')),
    );
    return JSON.parse(line) as SandboxIntroduction;
  }
  const { url, ca, tokenKey } = await start();
  settings = { ...settings, tokenKey };
  const client = clusterClient({ url, token, ca });

  async function copyAll(from: string, to: string): Promise<void> {
    await mkdir(to, { recursive: true });
    for (const file of await readdir(from)) await copyFile(join(from, file), join(to, file));
  }

  return {
    name,
    endpoint: { url, token, ca },
    client,
    kill: async () => void (await running?.kill()),
    async start() {
      await start();
    },
    freeze: () => running?.signal('SIGSTOP'),
    thaw: () => running?.signal('SIGCONT'),
    forget: async () => void (await client.call('POST', '/_sandbox/compact', {})),
    /** What is on disk while the process stands still is what a kill would leave. */
    async backup() {
      const saved = join(folder, `${name}-${randomUUID()}`);
      running?.signal('SIGSTOP');
      await copyAll(store, saved).finally(() => running?.signal('SIGCONT'));
      return async () => {
        await running?.kill();
        await rm(store, { recursive: true });
        await copyAll(saved, store);
        await start();
      };
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await running?.kill();
    },
  };
}

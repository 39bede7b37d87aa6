// The sandbox fleet: a few small clusters in this process, with a workload that keeps them changing.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Rule } from './authorization.ts';
import { type Authority, createAuthority } from './certificate.ts';
import { fleetResources } from './fleet-definitions.ts';
import { kubeconfig } from './kubeconfig.ts';
import type { KubeObject } from './object.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from './sandbox.ts';
import { Workload } from './workload.ts';

export interface FleetOptions {
  /** Default 3. */
  readonly clusters?: number;
  /** Objects in each cluster. Default 200. */
  readonly objects?: number;
  /** Changes a second in each cluster; 0 for a fleet at rest. Default 5. */
  readonly rate?: number;
  /** The same seed makes the same objects and changes. Default 1. */
  readonly seed?: number;
  /** Everything is kept here, and an earlier fleet is continued. Default: memory only. */
  readonly folder?: string;
  readonly onLog?: (message: string) => void;
  /** For each of its servers. */
  readonly server?: Omit<SandboxOptions, 'name' | 'port' | 'token' | 'authority' | 'tokenKey' | 'file'>;
}

interface SandboxCluster extends Omit<Sandbox, 'stop'> {
  /** Its life; pause it to compare final states. */
  readonly workload: Workload;
  /** Every custom resource's objects as they are now. */
  objects(): { group: string; plural: string; object: KubeObject }[];
}

export interface Fleet {
  readonly clusters: readonly SandboxCluster[];
  kubeconfig(): string;
  /** Stops the workload and the servers. */
  stop(): Promise<void>;
}

/** Changes made before serving again, so that whoever follows the fleet has something to catch up with. */
const changesWhileAway = 25;

/** Everyone who holds a service account's token may read. */
const readers: readonly Rule[] = [
  {
    subjects: ['system:serviceaccounts'],
    verbs: ['get', 'list', 'watch'],
    groups: [...new Set(fleetResources.map(({ group }) => group)), 'apiextensions.k8s.io'],
    resources: ['*'],
  },
  { subjects: ['system:serviceaccounts'], verbs: ['get', 'list', 'watch'], groups: [''], resources: ['namespaces'] },
];

/** Starts the fleet, or continues the one in `folder`. All servers listen, and all objects exist, when it resolves. */
export async function startFleet(options: FleetOptions = {}): Promise<Fleet> {
  const { clusters: count = 3, rate = 5, folder, onLog = () => undefined } = options;
  const now = options.server?.now ?? Date.now;
  const state = readState(folder) ?? { authority: createAuthority('mk8s-sandbox-ca', now()), clusters: {} };
  const started: { sandbox: Sandbox; workload: Workload }[] = [];
  try {
    for (let index = 0; index < count; index++) started.push(await startCluster(options, state, index, now));
  } catch (error) {
    await Promise.all(started.map(({ sandbox }) => sandbox.stop()));
    throw error;
  }
  writeState(folder, state);
  for (const { workload, sandbox } of started) {
    workload.run(rate);
    onLog(`${sandbox.name} serves ${sandbox.url}`);
  }
  const clusters = started.map(({ sandbox, workload }) => ({
    ...sandbox,
    workload,
    objects: () => objectsOf(sandbox),
  }));
  return {
    clusters,
    kubeconfig: () => kubeconfig(clusters),
    async stop() {
      for (const { workload } of started) workload.pause();
      await Promise.all(started.map(({ sandbox }) => sandbox.stop()));
    },
  };
}

/** What has to be the same in the next process, besides the databases. */
interface FleetState {
  readonly authority: Authority;
  readonly clusters: Record<string, { token: string; tokenKey: string; port: number }>;
}

async function startCluster(
  { objects = 200, seed = 1, folder, server }: FleetOptions,
  state: FleetState,
  index: number,
  now: () => number,
): Promise<{ sandbox: Sandbox; workload: Workload }> {
  const name = `sandbox-${String.fromCharCode(97 + (index % 26))}${index < 26 ? '' : Math.floor(index / 26)}`;
  const known = state.clusters[name];
  let workload: Workload | undefined;
  const sandbox = await startSandbox({
    historyLimit: 2000,
    rules: readers,
    ...server,
    name,
    authority: state.authority,
    token: known?.token ?? randomBytes(24).toString('base64url'),
    ...(known === undefined ? {} : { tokenKey: known.tokenKey, preferredPort: known.port }),
    ...(folder === undefined ? {} : { file: join(folder, `${name}.db`) }),
    prepare: async (client) => {
      // A new start must not repeat the sequence of the one before: it goes on from where that one ended.
      workload = new Workload({ client, seed: seed * 1009 + index * 31 + client.resourceVersion, objects, now });
      const continues =
        known !== undefined && client.serves(fleetResources[0]?.group ?? '', fleetResources[0]?.plural ?? '');
      await workload.prepare();
      if (continues) workload.change(changesWhileAway);
    },
  });
  if (workload === undefined) throw new Error(`The sandbox cluster ${name} started without its workload.`);
  state.clusters[name] = { token: sandbox.token, tokenKey: sandbox.tokenKey, port: Number(new URL(sandbox.url).port) };
  return { sandbox, workload };
}

function objectsOf({ client }: Sandbox): { group: string; plural: string; object: KubeObject }[] {
  return client
    .resources()
    .filter(({ custom }) => custom)
    .flatMap(({ group, plural }) => client.list({ group, plural }).map((object) => ({ group, plural, object })));
}

function readState(folder: string | undefined): FleetState | undefined {
  if (folder === undefined) return undefined;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'fleet.json');
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as FleetState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(
      `Cannot continue the sandbox fleet: ${file} does not read: ${String(error)}. Remove the folder to start anew.`,
      { cause: error },
    );
  }
}

function writeState(folder: string | undefined, state: FleetState): void {
  if (folder === undefined) return;
  const file = join(folder, 'fleet.json');
  writeFileSync(`${file}.new`, JSON.stringify(state, null, 2), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

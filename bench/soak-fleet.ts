// The servers of a soak, a process of their own: sandbox clusters whose objects keep changing, and which misbehave when
// told to. Started with an IPC channel; arguments: clusters, objects in each, changes a second over all, kubeconfig file.
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { kubeconfig } from '../lib/sandbox/kubeconfig.ts';
import { type Sandbox, startSandbox } from '../lib/sandbox/sandbox.ts';
import { soakDefinition, soakResources, soakSpec, soakStatus } from './soak-objects.ts';
import { objectHash, stateKey } from './soak-state.ts';

/** What the soak may ask for; each is answered by an `Answer` with the same number. */
export interface Ask {
  readonly number: number;
  readonly action: 'begin' | 'end' | 'gone' | 'drop' | 'endWatches' | 'restart' | 'state' | 'written';
  /** Which cluster, from 0. */
  readonly cluster?: number;
}

export interface Answer {
  readonly number: number;
  /** Writes since the beginning. */
  readonly written: number;
  /** Connections that are open. */
  readonly connections: number;
  /** Hash of every object by its key, where asked for. */
  readonly state?: readonly (readonly [string, string])[];
  readonly error?: string;
}

const [clusterCount = 3, objectCount = 1000, rate = 150] = process.argv.slice(2).map(Number);
const kubeconfigFile = process.argv[5] ?? 'soak.kubeconfig';
const namespaces = ['team-a', 'team-b', 'team-c', 'team-d'];
const definitions = { group: 'apiextensions.k8s.io', plural: 'customresourcedefinitions' };
/** How long a restarted server is away, milliseconds: longer than the first backoffs. */
const DOWN_MS = 15_000;
const TICK_MS = 50;

interface Member {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

interface Cluster {
  readonly sandbox: Sandbox;
  readonly members: Member[];
  /** Lately deleted; some come back under the same name. */
  readonly deleted: Member[];
}

let written = 0;
let seed = 1;
/** mulberry32: the same load in every run. */
function random(): number {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
}

const clusters = await Promise.all(Array.from({ length: clusterCount }, (_, index) => start(`soak-${index + 1}`)));
writeFileSync(kubeconfigFile, kubeconfig(clusters.map(({ sandbox }) => sandbox)), { mode: 0o600 });
let timer: NodeJS.Timeout | undefined;
process.on('message', (ask: Ask) => void answer(ask));
process.on('disconnect', () => process.exit(0));
// A Ctrl-C on the terminal reaches every process; the soak ends this one when it is through.
process.on('SIGINT', () => undefined);
process.send?.({ number: 0, written, connections: 0 } satisfies Answer);

async function start(name: string): Promise<Cluster> {
  // What a watch cache keeps of each resource; fewer than in production, so that this process stays small.
  const sandbox = await startSandbox({ name, historyLimit: 2000 });
  const { client } = sandbox;
  for (const namespace of namespaces) {
    client.create(
      { group: '', plural: 'namespaces' },
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    );
  }
  for (const resource of soakResources) client.create(definitions, soakDefinition(resource));
  while (!soakResources.every(({ group, plural }) => client.serves(group, plural))) await delay(5);
  const cluster: Cluster = { sandbox, members: [], deleted: [] };
  while (cluster.members.length < objectCount) create(cluster);
  return cluster;
}

async function answer({ number, action, cluster: index = 0 }: Ask): Promise<void> {
  const control = clusters[index]?.sandbox.control;
  let state: Answer['state'];
  let error: string | undefined;
  try {
    if (action === 'begin') begin();
    if (action === 'end') clearInterval(timer);
    if (action === 'drop') control?.drop();
    if (action === 'endWatches') control?.endWatches();
    if (action === 'restart') await control?.restart({ down: DOWN_MS });
    if (action === 'gone') {
      // History up to now is gone while nobody watches: whoever resumes from before gets 410.
      control?.drop();
      control?.compact();
    }
    if (action === 'state') state = wholeState();
  } catch (failure) {
    error = String(failure);
  }
  process.send?.({
    number,
    written,
    connections: clusters.reduce(
      (sum, { sandbox }) => sum + Number(sandbox.control.perform('status', {})['connections']),
      0,
    ),
    ...(state === undefined ? {} : { state }),
    ...(error === undefined ? {} : { error }),
  } satisfies Answer);
}

function begin(): void {
  let due = 0;
  let last = performance.now();
  timer = setInterval(() => {
    const now = performance.now();
    due = Math.min(due + ((now - last) * rate) / 1000, rate);
    last = now;
    for (; due >= 1; due -= 1) change(pick(clusters));
  }, TICK_MS);
}

function change(cluster: Cluster): void {
  const { members } = cluster;
  const chance = random();
  if (members.length < objectCount * 0.9 || (chance < 0.06 && members.length < objectCount * 1.1)) create(cluster);
  else if (chance < 0.12) remove(cluster);
  else if (chance < 0.55) {
    const member = pick(members);
    cluster.sandbox.client.as('deployer').patch(member, { spec: soakSpec(random, Date.now()) });
  } else {
    const member = pick(members);
    cluster.sandbox.client.as('controller').patch(member, { status: soakStatus(random, Date.now()) }, 'status');
  }
  written += 1;
}

function create(cluster: Cluster): void {
  const again = random() < 0.5 ? cluster.deleted.pop() : undefined;
  const resource = pick(soakResources);
  const { kind, group, plural, ...member } = again ?? {
    ...resource,
    namespace: pick(namespaces),
    name: `${resource.kind.toLowerCase()}-${Math.floor(random() * 2 ** 48).toString(36)}`,
  };
  cluster.sandbox.client.as('deployer').create(
    { group, plural, ...member },
    {
      apiVersion: `${group}/v1`,
      kind,
      metadata: { ...member, labels: { app: member.name, team: member.namespace } },
      spec: soakSpec(random, Date.now()),
    },
  );
  cluster.members.push({ kind, group, plural, ...member });
}

function remove(cluster: Cluster): void {
  const index = Math.floor(random() * cluster.members.length);
  const member = cluster.members[index];
  const last = cluster.members.pop();
  if (member === undefined || last === undefined) return;
  if (last !== member) cluster.members[index] = last;
  cluster.sandbox.client.delete(member);
  cluster.deleted.push(member);
  if (cluster.deleted.length > 100) cluster.deleted.shift();
}

function wholeState(): NonNullable<Answer['state']> {
  return clusters.flatMap(({ sandbox: { client, uid } }) =>
    soakResources.flatMap(({ group, plural }) =>
      client
        .list({ group, plural })
        .map(
          (object) =>
            [
              stateKey(uid, `${plural}.${group}`, object.metadata.namespace ?? '', object.metadata.name),
              objectHash(object),
            ] as const,
        ),
    ),
  );
}

function pick<T>(from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}

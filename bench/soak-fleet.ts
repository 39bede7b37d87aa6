// The servers of a soak and their load, a process of their own that does what it is told over its IPC channel.
// Arguments: `sandbox` or `real`, clusters, objects in each, changes a second over all, kubeconfig file.
import { writeFileSync } from 'node:fs';
import { kubeconfig } from '../lib/sandbox/kubeconfig.ts';
import { sandboxCluster } from './soak-sandbox.ts';
import { objectHash, stateKey } from './soak-state.ts';
import { type SoakWorkload, soakWorkload } from './soak-workload.ts';

/** What the soak may ask for; each is answered by an `Answer` with the same number. */
export interface Ask {
  readonly number: number;
  readonly action: 'begin' | 'end' | 'gone' | 'drop' | 'endWatches' | 'restart' | 'state' | 'written' | 'stop';
  /** Which cluster, from 0. */
  readonly cluster?: number;
}

export interface Answer {
  readonly number: number;
  /** Writes since the beginning. */
  readonly written: number;
  /** Hash of every object by its key, where asked for. */
  readonly state?: readonly (readonly [string, string])[];
  readonly error?: string;
}

const [kind, ...numbers] = process.argv.slice(2);
const [clusterCount = 3, objectCount = 1000, rate = 150] = numbers.map(Number);
const kubeconfigFile = numbers[3] ?? 'soak.kubeconfig';
/** How long a restarted server is away, milliseconds: longer than the first backoffs. */
const DOWN_MS = 15_000;
const TICK_MS = 50;
/** Writes under way at once, to all servers together: what a slow one does not take is left out. */
const MOST_WRITES = 64;

const start = kind === 'real' ? (await import('./soak-kube.ts')).kubeCluster : sandboxCluster;
const clusters = await Promise.all(Array.from({ length: clusterCount }, (_, index) => start(`soak-${index + 1}`)));
const workloads = clusters.map((cluster, index) => soakWorkload(cluster, objectCount, seeded(index + 1)));
await Promise.all(workloads.map((workload) => workload.fill()));
writeFileSync(kubeconfigFile, kubeconfig(clusters), { mode: 0o600 });
let timer: NodeJS.Timeout | undefined;
let stopped: Promise<unknown> | undefined;
const writing = new Set<Promise<void>>();
process.on('message', (ask: Ask) => void answer(ask));
process.on('disconnect', () => void stop().finally(() => process.exit(0)));
// A Ctrl-C on the terminal reaches every process; the soak ends this one when it is through.
process.on('SIGINT', () => undefined);
process.send?.({ number: 0, written: 0 } satisfies Answer);

async function answer({ number, action, cluster: index = 0 }: Ask): Promise<void> {
  let state: Answer['state'];
  let error: string | undefined;
  try {
    if (action === 'state') state = await wholeState();
    else await perform(action, index);
  } catch (failure) {
    error = String(failure);
  }
  const written = workloads.reduce((sum, workload) => sum + workload.written, 0);
  const found = { ...(state === undefined ? {} : { state }), ...(error === undefined ? {} : { error }) };
  process.send?.({ number, written, ...found } satisfies Answer);
}

async function perform(action: Exclude<Ask['action'], 'state'>, index: number): Promise<void> {
  const cluster = clusters[index];
  switch (action) {
    case 'begin':
      return begin();
    case 'end':
      clearInterval(timer);
      return void (await Promise.all(writing));
    case 'restart':
      return await cluster?.restart(DOWN_MS);
    case 'gone':
    case 'drop':
    case 'endWatches':
      return await cluster?.[action]();
    case 'stop':
      return await stop();
    case 'written':
  }
}

async function stop(): Promise<void> {
  clearInterval(timer);
  stopped ??= Promise.all(clusters.map((cluster) => cluster.stop()));
  await stopped;
}

function begin(): void {
  let due = 0;
  let turn = 0;
  let last = performance.now();
  timer = setInterval(() => {
    const now = performance.now();
    due = Math.min(due + ((now - last) * rate) / 1000, rate);
    last = now;
    for (; due >= 1; due -= 1) {
      turn += 1;
      write(workloads[turn % workloads.length]);
    }
  }, TICK_MS);
}

function write(workload: SoakWorkload | undefined): void {
  if (workload === undefined || writing.size >= MOST_WRITES) return;
  const change = workload.change().finally(() => writing.delete(change));
  writing.add(change);
}

async function wholeState(): Promise<NonNullable<Answer['state']>> {
  const states = clusters.map(async (cluster) =>
    (await cluster.objects()).map(
      ({ resource, object }) =>
        [
          stateKey(cluster.uid, resource, object.metadata.namespace ?? '', object.metadata.name ?? ''),
          objectHash(object),
        ] as const,
    ),
  );
  return (await Promise.all(states)).flat();
}

/** mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

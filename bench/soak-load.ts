// The processes of a soak: servers, bridge, tail, and this one as webhook and subscriber.
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Answer, Ask } from './soak-fleet.ts';
import type { Probe } from './soak-probe.ts';
import { type Receiver, startReceiver } from './soak-receiver.ts';
import { type ProcessSample, sampleProcess } from './soak-samples.ts';
import { type Arrival, createSubscriber, type Subscriber } from './soak-state.ts';

export interface LoadOptions {
  readonly folder: string;
  readonly servers: 'sandbox' | 'real';
  readonly clusters: number;
  readonly objects: number;
  readonly rate: number;
  /** `--retention-age` of the bridge. */
  readonly retention: string;
}

export interface Load {
  readonly bridge: Child;
  readonly tail: Child;
  readonly servers: Child;
  readonly clusters: number;
  readonly receiver: Receiver;
  readonly data: string;
  readonly tailed: Subscriber;
  readonly received: Subscriber;
  readonly ask: (action: Ask['action'], cluster?: number) => Promise<Answer>;
  /** Resolves with a sentence when one of the processes ended by itself. */
  readonly broken: Promise<string>;
  /** Ends bridge and tail as Ctrl-C would, then the servers. */
  stop(): Promise<void>;
}

export interface Child {
  readonly pid: number;
  readonly process: ChildProcess;
  sample(): ProcessSample;
}

const root = resolve(import.meta.dirname, '..');
const probe = join(import.meta.dirname, 'soak-probe.ts');

/** All is started, and nothing changes yet, when this resolves. */
export async function startLoad({ folder, servers, clusters, objects, rate, retention }: LoadOptions): Promise<Load> {
  const log = (name: string): number => openSync(join(folder, `${name}.log`), 'a');
  const kubeconfig = join(folder, 'kubeconfig');
  const data = join(folder, 'data');
  const received = createSubscriber('webhook', Date.now);
  const tailed = createSubscriber('tail', Date.now);
  const receiver = await startReceiver((arrival) => received.add(arrival));
  const numbers = [clusters, objects, rate].map(String);
  const fleet = fork(join(import.meta.dirname, 'soak-fleet.ts'), [servers, ...numbers, kubeconfig], {
    stdio: ['ignore', log('servers'), log('servers'), 'ipc'],
  });
  const ask = asking(fleet);
  await ask.ready;
  const mk8s = (name: string, args: readonly string[], stdout: 'pipe' | number): ChildProcess =>
    fork(join(root, 'bin/mk8s.js'), args, {
      execArgv: ['--import', probe],
      // Sessions of their own: a Ctrl-C for the soak must not reach them before it has compared.
      detached: true,
      stdio: ['ignore', stdout, log(name), 'ipc'],
    });
  const run = ['run', '--source', 'kubeconfig', '--kubeconfig', kubeconfig, '--data', data, '--sink', receiver.url];
  const bridge = mk8s('bridge', [...run, '--retention-age', retention, '--view', 'log'], log('bridge'));
  while (!existsSync(join(data, 'mk8s.db'))) await new Promise((done) => setTimeout(done, 100));
  const reading = ['tail', '--data', data, '--subscription', 'soak', '--from', 'beginning', '--follow'];
  const tail = mk8s('tail', [...reading, '-o', 'cloudevents'], 'pipe');
  if (tail.stdout !== null) readTail(tail.stdout, tailed, join(folder, 'tail-odd.log'));
  const children = { bridge, tail, servers: fleet };
  let stopping = false;
  const broken = Promise.race(
    Object.entries(children).map(async ([name, child]) => {
      const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
      if (stopping) await new Promise(() => undefined);
      return `${name} ended by itself (${signal ?? code}); see ${name}.log`;
    }),
  );
  return {
    bridge: watched(bridge),
    tail: watched(tail),
    servers: watched(fleet),
    clusters,
    receiver,
    data,
    tailed,
    received,
    ask: ask.ask,
    broken,
    async stop() {
      stopping = true;
      await Promise.all([bridge, tail].map(ended));
      await ask.ask('stop');
      fleet.disconnect();
      await gone(fleet);
      receiver.close();
    },
  };
}

/** What is read from tail's pipe, line by line; the pipe slows tail where this process is slower. */
function readTail(stdout: NodeJS.ReadableStream, tailed: Subscriber, oddFile: string): void {
  const odd = createWriteStream(oddFile);
  createInterface({ input: stdout }).on('line', (line) => {
    try {
      tailed.add(arrivalOf(line));
    } catch (error) {
      odd.write(`${String(error)}: ${line}\n`);
    }
  });
}

function arrivalOf(line: string): Arrival {
  const {
    data,
    resourceversion,
    namespace = '',
    ...event
  } = JSON.parse(line) as Omit<Arrival, 'object' | 'namespace'> & {
    namespace?: string;
    data: object;
    resourceversion: string;
  };
  return { ...event, namespace, resourceVersion: resourceversion, object: JSON.stringify(data) };
}

function watched(child: ChildProcess): Child {
  let heap: Probe | undefined;
  child.on('message', (message: Partial<Probe>) => {
    if (message.heapUsed !== undefined) heap = message as Probe;
  });
  const { pid = 0 } = child;
  return { pid, process: child, sample: () => sampleProcess(pid, heap) };
}

function asking(fleet: ChildProcess) {
  const waiting = new Map<number, (answer: Answer) => void>();
  let number = 0;
  const ready = new Promise<Answer>((done) => waiting.set(0, done));
  fleet.on('message', (answer: Answer) => {
    waiting.get(answer.number)?.(answer);
    waiting.delete(answer.number);
  });
  const ask = async (action: Ask['action'], cluster = 0): Promise<Answer> => {
    number += 1;
    const answer = new Promise<Answer>((done) => waiting.set(number, done));
    fleet.send({ number, action, cluster } satisfies Ask);
    const got = await answer;
    if (got.error !== undefined) throw new Error(`the servers cannot ${action}: ${got.error}`);
    return got;
  };
  return { ready, ask };
}

async function ended(child: ChildProcess): Promise<void> {
  child.kill('SIGINT');
  await gone(child);
}

async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** The commit of the sources that run. */
export function commitOf(): string {
  return execFileSync('git', ['-C', root, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
}

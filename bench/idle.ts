// What 200 quiet streams cost: `mk8s run` of an installed package on ten clusters of twenty resources over TLS, with a bookmark
// a minute on each watch, beside as many informers of client-node in one process, at the same time. Processor time and memory
// as the kernel counts them (/proc: Linux only), in five windows after both have settled. (From a clone, with types to strip
// at the start, it is some 15 MB more.)
//
// Unfair to ours: it also keeps a record on disk, a status that others can read, and watches of the CRDs.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openDataFolder } from '../lib/adapters/disk/data-folder.ts';
import { systemClock } from '../lib/async/system-clock.ts';
import type { IdleServerStarted } from './idle-server.ts';
import { installPackage } from './installed-package.ts';
import { atMost, type BenchOptions, type BenchRow, benchRow, formatRow } from './report.ts';

const here = import.meta.dirname;
const CLUSTERS = 10;
const RESOURCES = 20;
const STREAMS = CLUSTERS * RESOURCES;
/** What starting leaves behind (compiled code, garbage, first syncs) is over by then. */
const SETTLE_MS = 20_000;
const WINDOW_MS = 12_000;
/** sysconf(_SC_CLK_TCK): 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

interface Sample {
  /** Percent of one core. */
  readonly cpu: number;
  /** Resident, MB, the largest seen. */
  readonly memory: number;
}

export async function benchIdle({ runs = 5, log = () => {} }: BenchOptions = {}): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mk8s-bench-'));
  const children: ChildProcess[] = [];
  try {
    const server = fork(join(here, 'idle-server.ts'), [String(CLUSTERS), String(RESOURCES)]);
    children.push(server);
    const [started] = (await once(server, 'message')) as [IdleServerStarted];
    const kubeconfig = writeKubeconfig(join(folder, 'kubeconfig'), started);
    const data = join(folder, 'data');
    const ours = spawn(
      process.execPath,
      [
        join(installPackage(join(folder, 'package')), 'bin/mk8s.js'),
        'run',
        '--kubeconfig',
        kubeconfig,
        '--data',
        data,
        '--view',
        'none',
      ],
      { stdio: ['ignore', 'inherit', 'inherit'], env: { PATH: process.env['PATH'], HOME: folder } },
    );
    const peer = fork(join(here, 'idle-informers.ts'), [kubeconfig, String(RESOURCES)]);
    children.push(ours, peer);
    await once(peer, 'message');
    await allWatching(data, ours);
    log(`idle: ${STREAMS} streams and as many informers follow; they settle for ${SETTLE_MS / 1000} s`);
    await delay(SETTLE_MS);
    const samples = { ours: [] as Sample[], peer: [] as Sample[] };
    for (let run = 1; run <= runs; run++) {
      const [a, b] = await Promise.all([sample(ours), sample(peer)]);
      samples.ours.push(a);
      samples.peer.push(b);
      log(`idle, window ${run} of ${runs}: ours ${format(a)}; informers ${format(b)}`);
    }
    const row = (what: string, unit: string, figure: keyof Sample, most: number): BenchRow =>
      benchRow({
        what: `${STREAMS} idle streams: ${what}`,
        unit,
        ours: samples.ours.map((one) => one[figure]),
        peer: { name: `${STREAMS} informers of client-node`, runs: samples.peer.map((one) => one[figure]) },
        bars: [atMost(most)],
      });
    return [row('processor', '% of a core', 'cpu', 2), row('memory', 'MB', 'memory', 150)];
  } finally {
    for (const child of children) await end(child);
    rmSync(folder, { recursive: true });
  }
}

function format({ cpu, memory }: Sample): string {
  return `${cpu.toFixed(1)} % of a core, ${memory.toFixed(0)} MB`;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill();
  await once(child, 'exit');
}

async function allWatching(data: string, run: ChildProcess): Promise<void> {
  for (;;) {
    if (run.exitCode !== null) throw new Error('`mk8s run` ended; what it said is above.');
    await delay(500);
    const folder = tryOpen(data);
    if (folder === undefined) continue;
    const { streams } = await folder.status.read();
    await folder.close();
    if (streams.filter(({ state }) => state === 'watching').length === STREAMS) return;
  }
}

/** Undefined as long as the run has not made it. */
function tryOpen(path: string): ReturnType<typeof openDataFolder> | undefined {
  try {
    return openDataFolder({ path, readOnly: true, clock: systemClock, host: 'bench' });
  } catch {
    return undefined;
  }
}

async function sample({ pid = 0 }: ChildProcess): Promise<Sample> {
  const startedAt = performance.now();
  const before = ticks(pid);
  let memory = 0;
  while (performance.now() - startedAt < WINDOW_MS) {
    await delay(1000);
    memory = Math.max(memory, resident(pid));
  }
  const seconds = (performance.now() - startedAt) / 1000;
  return { cpu: ((ticks(pid) - before) / TICKS_PER_SECOND / seconds) * 100, memory };
}

/** User and system time of all threads, proc(5) fields 14 and 15; the name in field 2 may have spaces. */
function ticks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** VmRSS, in MB. */
function resident(pid: number): number {
  return (Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024) / 1e6;
}

function writeKubeconfig(path: string, { ports, ca }: IdleServerStarted): string {
  const authority = Buffer.from(ca).toString('base64');
  const names = ports.map((port) => ({ port, name: `cluster-${port}` }));
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': names[0]?.name,
    clusters: names.map(({ port, name }) => ({
      name,
      cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': authority },
    })),
    contexts: names.map(({ name }) => ({ name, context: { cluster: name, user: 'bench' } })),
    users: [{ name: 'bench', user: {} }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

if (import.meta.main) {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  for (const row of await benchIdle({ log: say })) say(formatRow(row));
}

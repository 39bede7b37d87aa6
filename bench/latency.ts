// From sending a write to the API until a tailing process has printed the change, at 500 writes a second: `mk8s run` records
// it, `mk8s tail --follow` reads it from the folder, both real processes. Beside it, at the same time and of the same writes,
// client-node's Watch, which tells its own process and keeps nothing. The API server's own work on a write counts on both sides.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { installPackage } from './installed-package.ts';
import type { LatencyServerStarted } from './latency-server.ts';
import { RESOURCE, Sightings } from './latency-stamps.ts';
import type { WriterTask } from './latency-writer.ts';
import { atMost, type BenchOptions, type BenchRow, benchRow, formatRow } from './report.ts';

const here = import.meta.dirname;
const RATE = 500;
const OBJECTS = 200;
/** Of one run. */
const WRITES = RATE * 5;
/** Before the first run: five processes compile what they do. */
const WARM_UP = RATE * 10;

export async function benchLatency({ runs = 5, log = () => {} }: BenchOptions = {}): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mk8s-bench-'));
  const children: ChildProcess[] = [];
  const mk8s = join(installPackage(join(folder, 'package')), 'bin/mk8s.js');
  const child = (name: string, ...args: string[]): ChildProcess => {
    const started = fork(join(here, `latency-${name}.ts`), args);
    children.push(started);
    return started;
  };
  const command = (...args: string[]): ChildProcess => {
    const env = { PATH: process.env['PATH'], HOME: folder };
    const started = spawn(process.execPath, [mk8s, ...args], { stdio: ['ignore', 'pipe', 'inherit'], env });
    children.push(started);
    return started;
  };
  try {
    const server = child('server', String(OBJECTS));
    const [{ name, ...endpoint }] = (await once(server, 'message')) as [LatencyServerStarted];
    const kubeconfig = writeKubeconfig(join(folder, 'kubeconfig'), endpoint);
    const data = join(folder, 'data');
    const resources = `${RESOURCE.plural}.${RESOURCE.group}`;
    const watch = child('watch');
    watch.send(endpoint);
    const run = command('run', '--kubeconfig', kubeconfig, '--data', data, '--resources', resources, '--view', 'log');
    await once(run.stdout as NodeJS.ReadableStream, 'data');
    run.stdout?.resume();
    const tail = command('tail', '--follow', '--data', data, '--from', 'beginning', '-o', 'json');
    const sightings = new Sightings();
    const lines = createInterface({ input: tail.stdout as NodeJS.ReadableStream });
    const first = once(lines, 'line');
    lines.on('line', (line: string) => sightings.see(line));
    await Promise.all([first, once(watch, 'message')]);

    const task: WriterTask = { ...endpoint, objects: OBJECTS, rate: RATE, writes: WARM_UP + WRITES * runs };
    const writer = child('writer');
    writer.send(task);
    const [{ rate }] = (await once(writer, 'message')) as [{ rate: number }];
    while (sightings.latencies[task.writes - 1] === undefined) await once(lines, 'line');
    watch.send('report');
    const [watched] = (await once(watch, 'message')) as [(number | null)[]];
    log(`latency (${name}): ${Math.round(rate)} writes/s`);
    return rows(name, windows(sightings.latencies, runs, log), windows(watched, runs, log));
  } finally {
    for (const one of children.reverse()) await end(one);
    rmSync(folder, { recursive: true });
  }
}

interface Window {
  readonly p50: number;
  readonly p99: number;
}

function rows(server: string, ours: readonly Window[], peer: readonly Window[]): BenchRow[] {
  const row = (what: keyof Window, most: number): BenchRow =>
    benchRow({
      what: `latency of a write to a tail (${server}, ${RATE}/s): ${what}`,
      unit: 'ms',
      ours: ours.map((one) => one[what]),
      peer: { name: "client-node's Watch", runs: peer.map((one) => one[what]) },
      bars: [atMost(most)],
    });
  return [row('p50', 20), row('p99', 100)];
}

/** Percentiles of each run; the warm-up is left out. Throws where a write was never seen. */
function windows(
  latencies: readonly (number | null | undefined)[],
  runs: number,
  log: (line: string) => void,
): Window[] {
  return Array.from({ length: runs }, (_, run) => {
    const part = Array.from({ length: WRITES }, (_, n) => latencies[WARM_UP + WRITES * run + n]);
    const seen = part.filter((one): one is number => typeof one === 'number').toSorted((a, b) => a - b);
    if (seen.length < WRITES) throw new Error(`${WRITES - seen.length} of ${WRITES} writes were not seen.`);
    const at = (share: number): number => seen[Math.floor(share * (seen.length - 1))] ?? Number.NaN;
    const window = { p50: at(0.5), p99: at(0.99) };
    log(`latency, run ${run + 1} of ${runs}: p50 ${window.p50.toFixed(1)} ms, p99 ${window.p99.toFixed(1)} ms`);
    return window;
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  if (child.connected) child.disconnect();
  else child.kill();
  await once(child, 'exit');
}

function writeKubeconfig(path: string, { url, token, ca }: Omit<LatencyServerStarted, 'name'>): string {
  const cluster = { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'bench',
    clusters: [{ name: 'bench', cluster }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    users: [{ name: 'bench', user: { token } }],
  };
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

if (import.meta.main) {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  for (const row of await benchLatency({ log: say })) say(formatRow(row));
}

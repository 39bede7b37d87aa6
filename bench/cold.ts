// `npm run bench:cold`: how long a new instance takes to its first byte, and how much memory it then has: the function that lists
// clusters, bundled as an image has it, from a store that a run wrote, for a caller whose token is verified (the issuer is on loopback), against an empty function
// on the same framework. Both as processes, in turn, from the start of the process: as an image has it; again with the policy in YAML,
// as most people write it; and again with the compile cache of an earlier start, for images that are made with one. Beside the time that passes, which other work
// on the machine adds to, the processor time that the process used. Ends with 0 whatever was measured.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { openDataFolder } from '../lib/adapters/disk/data-folder.ts';
import { systemClock } from '../lib/async/system-clock.ts';
import { startFakeIssuer } from '../test/support/fake-issuer.ts';
import { freePort } from '../test/support/free-port.ts';
import { testClusterInfo } from '../test/support/function-world.ts';
import { installPackage } from './installed-package.ts';
import { describeMachine, formatMachine } from './machine.ts';
import { type BenchRow, benchRow, formatRow, ratioAtMost } from './report.ts';

/** Of each; a start is short. */
const STARTS = 15;
const CLUSTERS = 100;
const MAIN = createRequire(import.meta.url)
  .resolve('@google-cloud/functions-framework')
  .replace(/index\.js$/, 'main.js');
/** As plain JavaScript, as ours is bundled. */
const EMPTY =
  "export function empty(_, response) { response.setHeader('content-type', 'application/json'); response.end('{}'); }";

interface Start {
  readonly milliseconds: number;
  readonly processorMilliseconds: number;
  readonly megabytes: number;
}

interface Side {
  readonly source: string;
  readonly target: string;
  readonly path: string;
  readonly env: (port: number) => Record<string, string>;
  readonly token: ((port: number) => string) | undefined;
}

/** `ends` with SIGTERM, it writes the compile cache; killed, it does not. */
async function start(side: Side, cache: string | undefined, ends: 'SIGTERM' | 'SIGKILL'): Promise<Start> {
  const port = await freePort();
  const token = side.token?.(port);
  const before = performance.now();
  const child = spawn(
    process.execPath,
    [MAIN, `--source=${side.source}`, `--target=${side.target}`, `--port=${port}`],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        PATH: process.env['PATH'],
        NODE_ENV: 'production',
        ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }),
        ...side.env(port),
      },
    },
  );
  try {
    await listening(child, port);
    const status = await ask(port, side.path, token);
    const milliseconds = performance.now() - before;
    if (status !== 200) throw new Error(`${side.source} answered ${status}`);
    return { milliseconds, processorMilliseconds: processorMilliseconds(child), megabytes: residentMegabytes(child) };
  } finally {
    const ended = once(child, 'exit');
    child.kill(ends);
    await ended;
  }
}

async function listening(child: ChildProcess, port: number): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The function ended with ${child.exitCode}.`);
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (open) return;
    await systemClock.sleep(1);
  }
}

async function ask(port: number, path: string, token: string | undefined): Promise<number> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const asked = request({ port, host: '127.0.0.1', path, headers, agent: false });
  asked.end();
  const [response] = (await once(asked, 'response')) as [{ statusCode: number; resume(): void }];
  response.resume();
  return response.statusCode;
}

/** As the operating system counts it. */
function residentMegabytes({ pid }: ChildProcess): number {
  const status = readFileSync(`/proc/${pid ?? 0}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}

/** Of all its threads so far. Source: https://docs.kernel.org/scheduler/sched-stats.html (schedstat, nanoseconds) */
function processorMilliseconds({ pid }: ChildProcess): number {
  const tasks = `/proc/${pid ?? 0}/task`;
  const nanoseconds = (thread: string): number =>
    Number(readFileSync(`${tasks}/${thread}/schedstat`, 'utf8').split(' ')[0]);
  return readdirSync(tasks).reduce((sum, thread) => sum + nanoseconds(thread), 0) / 1e6;
}

async function compare(name: string, ours: Side, peer: Side, cache: string | undefined): Promise<BenchRow[]> {
  const runs = { ours: [] as Start[], peer: [] as Start[] };
  // The first round fills the cache of compiled code, and the system's of files.
  for (let round = 0; round <= STARTS; round += 1) {
    const ends = round === 0 ? 'SIGTERM' : 'SIGKILL';
    const [our, other] = [await start(ours, cache, ends), await start(peer, cache, ends)];
    if (round === 0) continue;
    runs.ours.push(our);
    runs.peer.push(other);
  }
  const row = (what: string, unit: string, of: (run: Start) => number, most?: number): BenchRow =>
    benchRow({
      what: `${what} (${name})`,
      unit,
      ours: runs.ours.map(of),
      peer: { name: 'empty function', runs: runs.peer.map(of) },
      bars: most === undefined ? [] : [ratioAtMost(most)],
    });
  return [
    row('cold start to the first byte of /v1/clusters', 'ms', ({ milliseconds }) => milliseconds, 1.3),
    row('processor time until then', 'ms', (run) => run.processorMilliseconds),
    row('resident memory then', 'MB', ({ megabytes }) => megabytes),
  ];
}

const folder = mkdtempSync(join(tmpdir(), 'mk8s-bench-'));
const issuer = await startFakeIssuer();
try {
  const data = join(folder, 'data');
  const store = openDataFolder({ path: data, clock: systemClock, host: 'bench' });
  const clusters = Array.from({ length: CLUSTERS }, (_, n) => testClusterInfo(`gke_project_europe-west1_cluster-${n}`));
  await store.inventory.write({ clusters, at: systemClock.now() });
  await store.close();
  const callers = [{ issuer: issuer.issuer, email: 'alice@example.com' }];
  const rule = { name: 'read', grant: 'clusters', callers, clusters: ['*'] };
  const policies = { json: join(folder, 'policy.json'), yaml: join(folder, 'policy.yaml') };
  writeFileSync(policies.json, JSON.stringify({ version: 1, rules: [rule] }));
  writeFileSync(policies.yaml, stringify({ version: 1, rules: [rule] }));
  const url = (port: number): string => `http://127.0.0.1:${port}`;
  const source = join(installPackage(join(folder, 'package')), 'dist/bundle/clusters.mjs');
  const ours = (policy: string): Side => ({
    source,
    target: 'clusters',
    path: '/v1/clusters',
    env: (port) => ({
      MK8S_DATA: data,
      MK8S_SERVE_URL: url(port),
      MK8S_SERVE_POLICY: policy,
      MK8S_SERVE_ISSUERS: issuer.issuer,
    }),
    token: (port) => issuer.token(url(port)),
  });
  const empty = join(folder, 'empty.mjs');
  writeFileSync(empty, EMPTY);
  const peer: Side = { source: empty, target: 'empty', path: '/', env: () => ({}), token: undefined };
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(formatMachine(describeMachine()));
  const variants: [string, Side, string?][] = [
    ['as an image has it', ours(policies.json)],
    ['with a policy in YAML', ours(policies.yaml)],
    ['with a compile cache', ours(policies.json), join(folder, 'cache')],
  ];
  for (const [name, side, cache] of variants)
    for (const row of await compare(name, side, peer, cache)) say(formatRow(row));
} finally {
  await issuer[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
}

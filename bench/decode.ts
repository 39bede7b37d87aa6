// Events decoded per second, from the socket to identity, version and bytes: ours, @kubernetes/client-node's Watch, and
// the floor (the same bytes read and dropped), in turn, plain and over TLS.
//
// Unfair on both sides: client-node builds whole objects, which some of its users want; ours hands out bytes, which are
// all a bridge needs. The server is a process of its own and shares the machine's cores.
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { drain, readClientNode, readOurs, type Target } from './decode-readers.ts';
import { type BenchRow, compareRuns, formatRow } from './report.ts';

export interface DecodeBenchOptions {
  /** Events a run; a multiple of 20,000. Default 200,000. */
  readonly events?: number;
  /** Runs of each side. Default 5. */
  readonly runs?: number;
  /** Where progress is told. */
  readonly log?: (line: string) => void;
}

interface Run {
  /** Events per second of wall time, and of this process's CPU time. */
  readonly wall: number;
  readonly cpu: number;
}

/** Runs all sides. TLS is left out, and this said in `log`, where openssl is missing. */
export async function benchDecode(options: DecodeBenchOptions = {}): Promise<BenchRow[]> {
  const { events = 200_000, runs = 5, log = () => {} } = options;
  const folder = mkdtempSync(join(tmpdir(), 'mk8s-bench-'));
  const certificate = selfSigned(folder, log);
  const server = fork(join(import.meta.dirname, 'decode-server.ts'), [
    String(events),
    ...(certificate === undefined ? [] : [certificate.certificate, certificate.key]),
  ]);
  try {
    const [ports] = (await once(server, 'message')) as [{ http: number; https?: number; events: number }];
    const plain: Target = { url: `http://127.0.0.1:${ports.http}`, ca: undefined, caText: undefined };
    const rows = await compareOn('plain', plain, ports.events, runs, log);
    if (certificate === undefined || ports.https === undefined) return rows;
    const ca = certificate.certificate;
    const tls: Target = { url: `https://127.0.0.1:${ports.https}`, ca, caText: readFileSync(ca, 'utf8') };
    return [...rows, ...(await compareOn('TLS', tls, ports.events, runs, log))];
  } finally {
    server.disconnect();
    rmSync(folder, { recursive: true });
  }
}

async function compareOn(
  how: 'plain' | 'TLS',
  target: Target,
  events: number,
  runs: number,
  log: (line: string) => void,
): Promise<BenchRow[]> {
  const ours: Run[] = [];
  const clientNode: Run[] = [];
  const floor: Run[] = [];
  // The first round warms up and is not counted.
  for (let round = 0; round <= runs; round++) {
    const results = [
      await measure(events, () => readOurs(target), events),
      await measure(events, () => readClientNode(target), events),
      await measure(events, () => drain(target)),
    ] as const;
    log(
      `${how} ${round}: ${results.map(({ wall, cpu }) => `${Math.round(wall)}/s (${Math.round(cpu)} per CPU second)`).join(' | ')}`,
    );
    if (round === 0) continue;
    ours.push(results[0]);
    clientNode.push(results[1]);
    floor.push(results[2]);
  }
  const wall = (side: readonly Run[]): number[] => side.map((run) => run.wall);
  const cpu = (side: readonly Run[]): number[] => side.map((run) => run.cpu);
  return [
    compareRuns(
      `decode (${how}), against client-node's Watch`,
      'events/s',
      { ours: wall(ours), peer: wall(clientNode) },
      6,
    ),
    how === 'plain'
      ? compareRuns('decode (plain), against the raw drain', 'events/s', { ours: wall(ours), peer: wall(floor) }, 0.5)
      : compareRuns('decode (TLS), against the raw drain', 'events/CPU s', { ours: cpu(ours), peer: cpu(floor) }, 0.5),
  ];
}

async function measure(events: number, read: () => Promise<number>, expected?: number): Promise<Run> {
  const cpuBefore = process.cpuUsage();
  const before = performance.now();
  const seen = await read();
  const seconds = (performance.now() - before) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  if (expected !== undefined && seen !== expected) throw new Error(`${expected} events were sent, ${seen} were seen`);
  return { wall: events / seconds, cpu: events / ((user + system) / 1e6) };
}

function selfSigned(folder: string, log: (line: string) => void): { certificate: string; key: string } | undefined {
  const certificate = join(folder, 'certificate.pem');
  const key = join(folder, 'key.pem');
  try {
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '1',
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=IP:127.0.0.1',
        '-keyout',
        key,
        '-out',
        certificate,
      ],
      { stdio: 'ignore' },
    );
    return { certificate, key };
  } catch {
    log('openssl is not here: nothing is measured over TLS.');
    return undefined;
  }
}

if (import.meta.main) {
  const require = createRequire(import.meta.url);
  const { version } = require('@kubernetes/client-node/package.json') as { version: string };
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(
    `node ${process.version}, @kubernetes/client-node ${version}, ${availableParallelism()} cores; ours | client-node | raw drain`,
  );
  for (const row of await benchDecode({ log: say })) say(formatRow(row));
}

// Events decoded per second, from the socket to identity, version and bytes: ours, @kubernetes/client-node's Watch, and
// the floor (the same bytes read and dropped), in turn, plain and over TLS.
//
// Unfair on both sides: client-node builds whole objects, which some of its users want; ours hands out bytes, which are
// all a bridge needs. The server and each side are processes of their own; the server shares the machine's cores.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Reading, ServerStarted, Target } from './decode-target.ts';
import { type Bar, type BenchOptions, type BenchRow, benchRow, formatRow, ratioAtLeast } from './report.ts';

export interface DecodeBenchOptions extends BenchOptions {
  /** Events a run; a multiple of 20,000. Default 200,000. */
  readonly events?: number;
}

const SIDES = ['ours', 'clientNode', 'drain'] as const;
type Side = (typeof SIDES)[number];
type Sides = Readonly<Record<Side, ChildProcess>>;

interface Run {
  /** Events per second of wall time, and of the side's CPU time. */
  readonly wall: number;
  readonly cpu: number;
}

export async function benchDecode(options: DecodeBenchOptions = {}): Promise<BenchRow[]> {
  const { events: wanted = 200_000, runs = 5, log = () => {} } = options;
  const server = fork(join(import.meta.dirname, 'decode-server.ts'), [String(wanted)]);
  const sides: Sides = { ours: start('ours'), clientNode: start('client-node'), drain: start('drain') };
  try {
    const { http, https, ca, events } = await answerOf<ServerStarted>(server);
    const settings = { sides, events, runs, log };
    return [
      ...(await compareOn('plain', { url: `http://127.0.0.1:${http}`, ca: undefined }, settings)),
      ...(await compareOn('TLS', { url: `https://127.0.0.1:${https}`, ca }, settings)),
    ];
  } finally {
    for (const child of [server, ...Object.values(sides)]) if (child.connected) child.disconnect();
  }
}

function start(name: string): ChildProcess {
  return fork(join(import.meta.dirname, `decode-${name}.ts`));
}

async function compareOn(
  how: 'plain' | 'TLS',
  target: Target,
  { sides, events, runs, log }: { sides: Sides; events: number; runs: number; log: (line: string) => void },
): Promise<BenchRow[]> {
  const results: Record<Side, Run[]> = { ours: [], clientNode: [], drain: [] };
  // The first round warms up and is not counted.
  for (let round = 0; round <= runs; round++) {
    const told: string[] = [];
    for (const side of SIDES) {
      const { seen, wallSeconds, cpuSeconds } = await read(sides[side], target);
      if (side !== 'drain' && seen !== events) throw new Error(`${events} events were sent, ${side} saw ${seen}`);
      const run = { wall: events / wallSeconds, cpu: events / cpuSeconds };
      told.push(`${side} ${Math.round(run.wall)}/s (${Math.round(run.cpu)} per CPU second)`);
      if (round > 0) results[side].push(run);
    }
    log(`${how} ${round}: ${told.join(', ')}`);
  }
  const compare = (peer: 'clientNode' | 'drain', unit: keyof Run, bar?: Bar): BenchRow =>
    benchRow({
      what: `decode (${how})`,
      unit: unit === 'wall' ? 'events/s' : 'events/CPU s',
      ours: results.ours.map((run) => run[unit]),
      peer: {
        name: peer === 'drain' ? 'the raw drain' : "client-node's Watch",
        runs: results[peer].map((run) => run[unit]),
      },
      bars: bar === undefined ? [] : [bar],
    });
  const plain = how === 'plain';
  return [
    compare('clientNode', 'wall', plain ? ratioAtLeast(6) : undefined),
    compare('clientNode', 'cpu'),
    compare('drain', 'wall', plain ? ratioAtLeast(0.5) : undefined),
    compare('drain', 'cpu', plain ? undefined : ratioAtLeast(0.5)),
  ];
}

async function read(side: ChildProcess, target: Target): Promise<Reading> {
  side.send(target);
  return await answerOf<Reading>(side);
}

/** The next message of a child. */
async function answerOf<T>(child: ChildProcess): Promise<T> {
  const given = new AbortController();
  try {
    const end = once(child, 'exit', { signal: given.signal }).then(() => {
      throw new Error('A process of the benchmark ended without an answer; what it said is above.');
    });
    const [answer] = (await Promise.race([once(child, 'message', { signal: given.signal }), end])) as [T];
    return answer;
  } finally {
    given.abort();
  }
}

if (import.meta.main) {
  const require = createRequire(import.meta.url);
  const { version } = require('@kubernetes/client-node/package.json') as { version: string };
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(`node ${process.version}, @kubernetes/client-node ${version}, ${availableParallelism()} cores`);
  for (const row of await benchDecode({ log: say })) say(formatRow(row));
}

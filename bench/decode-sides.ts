// Runs the sides of a decode benchmark in turn, each in a process of its own, against one server in another: so none pays
// for another's heap, and what the server costs is known.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Reading, ServerStarted, ServerUse, Target } from './decode-target.ts';

export interface Run {
  /** Events or objects per second of wall time, and of the side's CPU time. */
  readonly wall: number;
  readonly cpu: number;
  /** Microseconds of the side's CPU time for one. */
  readonly cost: number;
  /** How much of one core the server was busy meanwhile, in percent. Near 100 it is the server that was measured. */
  readonly serverBusy: number;
}

export interface DecodeServer {
  readonly started: ServerStarted;
  target(how: 'plain' | 'TLS'): Target;
  /** CPU seconds so far. */
  used(): Promise<number>;
}

export interface Turns<Side extends string> {
  readonly server: DecodeServer;
  readonly target: Target;
  /** A side's name and its file's, `decode-NAME.ts`. */
  readonly sides: Readonly<Record<Side, string>>;
  /** How many events or objects each reads. */
  readonly count: number;
  /** Sides that do not count what they read. */
  readonly uncounted?: readonly NoInfer<Side>[];
  readonly runs: number;
  /** For the log. */
  readonly what: string;
  readonly log: (line: string) => void;
}

/** Starts a server with that many events, for as long as `work` takes. */
export async function withDecodeServer<T>(events: number, work: (server: DecodeServer) => Promise<T>): Promise<T> {
  const child = start('server', [String(events)]);
  try {
    const started = await answerOf<ServerStarted>(child);
    const { http, https, ca, pages } = started;
    return await work({
      started,
      target: (how) =>
        how === 'plain'
          ? { url: `http://127.0.0.1:${http}`, ca: undefined, pages }
          : { url: `https://127.0.0.1:${https}`, ca, pages },
      used: async () => {
        child.send('use');
        return (await answerOf<ServerUse>(child)).cpuSeconds;
      },
    });
  } finally {
    if (child.connected) child.disconnect();
  }
}

/** Each side reads the same, one after the other, round after round. The first round warms up and is not counted. */
export async function takeTurns<Side extends string>(turns: Turns<Side>): Promise<Record<Side, Run[]>> {
  const { server, target, count, uncounted = [], runs, what, log } = turns;
  const names = Object.keys(turns.sides) as Side[];
  const children = new Map(names.map((name) => [name, start(turns.sides[name])]));
  const results = Object.fromEntries(names.map((name) => [name, [] as Run[]])) as Record<Side, Run[]>;
  try {
    for (let round = 0; round <= runs; round++) {
      const told: string[] = [];
      for (const [side, child] of children) {
        const before = await server.used();
        child.send(target);
        const { seen, wallSeconds, cpuSeconds } = await answerOf<Reading>(child);
        const serverSeconds = (await server.used()) - before;
        if (!uncounted.includes(side) && seen !== count) throw new Error(`${count} were sent, ${side} saw ${seen}`);
        const run: Run = {
          wall: count / wallSeconds,
          cpu: count / cpuSeconds,
          cost: (cpuSeconds / count) * 1e6,
          serverBusy: (serverSeconds / wallSeconds) * 100,
        };
        const server_ = `server ${Math.round(run.serverBusy)} %`;
        told.push(`${side} ${Math.round(run.wall)}/s (${run.cost.toFixed(2)} µs of CPU each, ${server_})`);
        if (round > 0) results[side].push(run);
      }
      log(`${what} ${round}: ${told.join(', ')}`);
    }
    return results;
  } finally {
    for (const child of children.values()) if (child.connected) child.disconnect();
  }
}

function start(name: string, args: readonly string[] = []): ChildProcess {
  return fork(join(import.meta.dirname, `decode-${name}.ts`), args);
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

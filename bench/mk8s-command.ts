// `mk8s run` of one collection as a process of its own, from an installed package, as production runs it.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Traffic, Wish } from './sync-server.ts';

export interface ServedCollection {
  readonly url: string;
  tell(wish: Wish): Promise<Traffic>;
  stop(): void;
}

/** A server with so many objects, in a process of its own. */
export async function serveCollection(objects: number): Promise<ServedCollection> {
  const server = fork(join(import.meta.dirname, 'sync-server.ts'), [String(objects)]);
  const [{ port }] = (await once(server, 'message')) as [{ port: number }];
  return {
    url: `http://127.0.0.1:${port}`,
    async tell(wish) {
      const answer = once(server, 'message');
      server.send(wish);
      return ((await answer) as [Traffic])[0];
    },
    stop: () => server.disconnect(),
  };
}

export interface CatchUp {
  readonly recorded: { readonly added: number; readonly updated: number; readonly deleted: number };
  /** From the start of the process to its end. */
  readonly milliseconds: number;
  /** Of the process, whatever it is made of: the operating system's count of resident memory. */
  readonly peakBytes: number;
}

interface Run {
  /** An installed package. */
  readonly root: string;
  readonly server: string;
  /** For the kubeconfig, and the data folder in it. */
  readonly folder: string;
}

/** Tells the peak at the end, on a line of its own. */
const tellPeak = `process.on('exit', () => process.stdout.write(JSON.stringify({ peakKiB: process.resourceUsage().maxRSS }) + '\\n'));`;

/** Brings a data folder up to date. Throws where the command fails. */
export async function catchUp(run: Run): Promise<CatchUp> {
  const before = performance.now();
  const child = start(
    run,
    ['--import', `data:text/javascript,${encodeURIComponent(tellPeak)}`],
    ['--mode', 'catch-up'],
  );
  const ended = once(child, 'exit');
  const said: Record<string, unknown>[] = [];
  for await (const line of createInterface({ input: out(child) }))
    said.push(JSON.parse(line) as Record<string, unknown>);
  const [code] = (await ended) as [number | null];
  const milliseconds = performance.now() - before;
  const details = said.find((line) => 'details' in line && 'exitCode' in (line['details'] as object))?.['details'];
  const peak = said.at(-1)?.['peakKiB'];
  if (code !== 0 || details === undefined || typeof peak !== 'number') {
    throw new Error(`mk8s run ended with ${code}: ${JSON.stringify(said.slice(-3))}`);
  }
  return { recorded: details as CatchUp['recorded'], milliseconds, peakBytes: peak * 1024 };
}

/** Follows until the first change comes out, then stops in order. Milliseconds from the start of the process to there. */
export async function followToFirstChange(run: Run): Promise<number> {
  const before = performance.now();
  const child = start(run, [], ['--sink', 'stdout:']);
  child.stderr?.resume();
  await Promise.race([
    once(out(child), 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error('mk8s run ended before there was a change'))),
  ]);
  const milliseconds = performance.now() - before;
  out(child).resume();
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
  return milliseconds;
}

function start({ root, server, folder }: Run, node: readonly string[], flags: readonly string[]): ChildProcess {
  mkdirSync(folder, { recursive: true });
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'bench',
      clusters: [{ name: 'bench', cluster: { server } }],
      contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
      users: [{ name: 'bench', user: {} }],
    }),
  );
  const paths = ['--kubeconfig', kubeconfig, '--data', join(folder, 'data')];
  const command = [join(root, 'bin/mk8s.js'), 'run', ...paths, '--resources', 'httproutes.gateway.networking.k8s.io'];
  return spawn(process.execPath, [...node, ...command, ...flags], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, TMPDIR: process.env['TMPDIR'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function out(child: ChildProcess): NodeJS.ReadableStream {
  if (child.stdout === null) throw new Error('The command was started without a pipe.');
  return child.stdout;
}

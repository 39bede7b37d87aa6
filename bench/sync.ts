// First sync of a large collection: peak memory and time, ours (with everything durable on disk) against client-node's
// informer (in memory), from the same server, in turn, each in a process of its own.
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type BenchOptions, type BenchRow, benchRow, formatRow } from './report.ts';

const run = promisify(execFile);
const here = import.meta.dirname;

interface Result {
  readonly objects: number;
  readonly milliseconds: number;
  readonly peakBytes: number;
}

/** `objects`: default 100,000 of 3.4 KB. */
export async function benchSync(options: BenchOptions & { objects?: number } = {}): Promise<BenchRow[]> {
  const { objects = 100_000, runs = 5, log = () => {} } = options;
  const server = fork(join(here, 'sync-server.ts'), [String(objects)]);
  try {
    const [{ port }] = (await once(server, 'message')) as [{ port: number }];
    const url = `http://127.0.0.1:${port}`;
    const ours: Result[] = [];
    const peer: Result[] = [];
    for (let round = 0; round < runs; round++) {
      ours.push(await side('sync-ours.ts', url, objects, log));
      peer.push(await side('sync-informer.ts', url, objects, log));
    }
    const row = (what: string, unit: string, pick: (result: Result) => number): BenchRow =>
      benchRow({
        what: `first sync of ${objects.toLocaleString('en-US')} objects of 3.4 KB: ${what}`,
        unit,
        ours: ours.map(pick),
        peer: { name: "client-node's informer", runs: peer.map(pick) },
      });
    return [
      row('peak memory', 'MB', ({ peakBytes }) => peakBytes / 1e6),
      row('time (the informer: in memory only)', 'ms', ({ milliseconds }) => milliseconds),
    ];
  } finally {
    server.disconnect();
  }
}

async function side(file: string, url: string, objects: number, log: (line: string) => void): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'mk8s-bench-'));
  try {
    const { stdout } = await run(process.execPath, ['--no-warnings', join(here, file), url, folder]);
    const result = JSON.parse(stdout) as Result;
    if (result.objects !== objects)
      throw new Error(`${file}: ${objects} objects were served, ${result.objects} arrived`);
    log(`${file}: ${Math.round(result.milliseconds)} ms, ${Math.round(result.peakBytes / 1e6)} MB`);
    return result;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const objects = Number(process.argv[2] ?? 100_000);
  const runs = Number(process.argv[3] ?? 5);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  for (const row of await benchSync({ objects, runs, log: say })) say(formatRow(row));
}

// Changes per second through the whole pipeline on disk (decode from the socket, log with fsync, publish to a sink that
// acknowledges, checkpoint), against the obvious loop with the same durability, in turn, on the same bytes. The server and
// each side are processes of their own; the server shares the machine's cores.
//
// Unfair to ours: the loop leaves out last states, idempotence, publishing and checkpoints. Unfair to the loop: it makes
// whole objects, and its rows are not compressed.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerStarted } from './pipeline-server.ts';
import type { PipelineResult, PipelineTask } from './pipeline-target.ts';
import { atLeast, type BenchOptions, type BenchRow, benchRow, formatRow, ratioAtLeast } from './report.ts';

export interface PipelineBenchOptions extends BenchOptions {
  /** Events of a run that count. Default 100,000. */
  readonly events?: number;
}

const SIDES = ['ours', 'loop'] as const;

export async function benchPipeline(options: PipelineBenchOptions = {}): Promise<BenchRow[]> {
  const { events = 100_000, runs = 5, log = () => {} } = options;
  const warmUp = Math.round(events / 4);
  // More than counts: the last batch then comes as the others do.
  const server = fork(join(import.meta.dirname, 'pipeline-server.ts'), [String(warmUp + events + 5_000)]);
  try {
    const { http, https, ca } = await answerOf<ServerStarted>(server);
    const plain = { url: `http://127.0.0.1:${http}`, ca: undefined, warmUp, events };
    const tls = { url: `https://127.0.0.1:${https}`, ca, warmUp, events };
    return [await compare('plain', plain, { runs, log }), await compare('TLS', tls, { runs, log })];
  } finally {
    server.disconnect();
  }
}

async function compare(
  how: string,
  task: Omit<PipelineTask, 'folder'>,
  { runs, log }: Required<BenchOptions>,
): Promise<BenchRow> {
  const rates: Record<(typeof SIDES)[number], number[]> = { ours: [], loop: [] };
  for (let run = 1; run <= runs; run++) {
    for (const side of SIDES) {
      const { wallSeconds, cpuSeconds, peakMemory, commits } = await runSide(side, task);
      const rate = task.events / wallSeconds;
      rates[side].push(rate);
      log(
        `pipeline (${how}), run ${run} of ${runs}, ${side}: ${Math.round(rate)}/s, ${((cpuSeconds / task.events) * 1e6).toFixed(1)} µs of CPU each, ${Math.round(task.events / commits)} a commit, ${Math.round(peakMemory / 1e6)} MB`,
      );
    }
  }
  return benchRow({
    what: `pipeline on disk (${how})`,
    unit: 'changes/s',
    ours: rates.ours,
    peer: { name: 'the obvious loop', runs: rates.loop },
    bars: [atLeast(25_000), ratioAtLeast(2)],
  });
}

async function runSide(side: (typeof SIDES)[number], task: Omit<PipelineTask, 'folder'>): Promise<PipelineResult> {
  const folder = mkdtempSync(join(tmpdir(), 'mk8s-bench-'));
  const child = fork(join(import.meta.dirname, `pipeline-${side}.ts`));
  try {
    child.send({ ...task, folder } satisfies PipelineTask);
    return await answerOf<PipelineResult>(child);
  } finally {
    if (child.exitCode === null) {
      child.kill();
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true });
  }
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
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  for (const row of await benchPipeline({ runs: Number(process.argv[2] ?? 5), log: say })) say(formatRow(row));
}

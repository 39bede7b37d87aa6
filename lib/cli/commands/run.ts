// `mk8s run`: the main job, with a view on a terminal and log lines elsewhere.
import { relative } from 'node:path';
import type { RunHandle, RunSnapshot, RunSummary } from '../../compose.ts';
import type { Report } from '../../ports/reporter.ts';
import type { Invocation } from '../invocation.ts';
import { summarySentences } from '../run-summary.ts';
import { counted, rate } from '../text/numbers.ts';
import { printable } from '../text/width.ts';
import { wantsColor } from '../view/style.ts';

/** Ends with the exit code of the run's summary. */
export async function run(invocation: Invocation): Promise<number> {
  const shown = await presentation(invocation);
  try {
    const { engine, config, env, signal } = invocation;
    const handle = await engine.startRun(config, { env, signal, report: shown.report });
    shown.start(handle);
    const summary = await handle.finished;
    await shown.finish(summary);
    return summary.exitCode;
  } finally {
    shown.close();
  }
}

interface Presentation {
  readonly report: Report;
  start(run: RunHandle): void;
  finish(summary: RunSummary): Promise<void>;
  close(): void;
}

/** Changes on stdout leave no room for anything else there: log lines then go to stderr. */
async function presentation(invocation: Invocation): Promise<Presentation> {
  const { config, stdout, env } = invocation;
  const stdoutIsTaken = config.sinks.includes('stdout:');
  const canDraw = stdout.isTerminal && !stdoutIsTaken && env['TERM'] !== 'dumb';
  if (config.view === 'none') return quiet(invocation);
  const asTable = config.view === 'table' ? !stdoutIsTaken : config.view === 'auto' && canDraw;
  return asTable ? drawn(invocation) : logged(invocation, stdoutIsTaken ? 2 : 1);
}

async function drawn({ stdout, stderr, env, cwd, config, now }: Invocation): Promise<Presentation> {
  const { runView } = await import('../view/run-view.ts');
  const data = relative(cwd, config.data);
  const view = runView({
    output: stdout,
    color: wantsColor(stdout.isTerminal, env),
    data: data.startsWith('..') ? config.data : data,
    isFallback: config.fallbackSandbox && !config.source.includes('sandbox'),
    now,
    process,
  });
  // `mk8s run 2> mk8s.log` keeps the lines that the view has no room for.
  const log = stderr.isTerminal ? undefined : (await import('../log-lines.ts')).logLines(2, config.logLevel);
  return {
    report: (entry) => {
      view.report(entry);
      log?.(entry);
    },
    start: (handle) => view.start(handle),
    finish: async (summary) => {
      view.close();
      await stdout.write(`${summarySentences(summary).map(printable).join('\n')}\n`);
    },
    close: () => view.close(),
  };
}

// How often a run without a terminal says that all is well.
const heartbeatMs = 60_000;

async function logged({ config, now }: Invocation, fileDescriptor: number): Promise<Presentation> {
  const { logLines } = await import('../log-lines.ts');
  const log = logLines(fileDescriptor, config.logLevel);
  let timer: NodeJS.Timeout | undefined;
  return {
    report: log,
    start(handle) {
      let before = { at: now(), recorded: 0 };
      timer = setInterval(() => {
        const snapshot = handle.snapshot();
        const perSecond = (snapshot.recorded - before.recorded) / ((now() - before.at) / 1000);
        before = { at: now(), recorded: snapshot.recorded };
        log({ severity: 'INFO', message: heartbeat(snapshot, perSecond), details: numbersOf(snapshot) });
      }, heartbeatMs);
    },
    async finish(summary) {
      const { failures, recorded, exitCode, durationMs, published, caughtUp, replayed, resumed, clusters, streams } =
        summary;
      log({
        severity: exitCode === 0 ? 'INFO' : 'ERROR',
        message: summarySentences(summary).join(' '),
        details: {
          exitCode,
          durationMs,
          clusters,
          streams,
          added: recorded.add,
          updated: recorded.update,
          deleted: recorded.delete,
          published,
          caughtUp,
          replayed,
          resumed,
          failures: failures.length,
        },
      });
    },
    close: () => clearInterval(timer),
  };
}

function heartbeat({ clusters, streams }: RunSnapshot, perSecond: number): string {
  const current = streams.filter(({ state }) => state === 'watching' || state === 'queued').length;
  const objects = streams.reduce((sum, stream) => sum + stream.objects, 0);
  return `Following ${current} of ${counted(streams.length, 'stream')} in ${counted(clusters.length, 'cluster')}, ${counted(objects, 'object')}, ${rate(perSecond)} changes/s.`;
}

function numbersOf({ recorded, published, caughtUp }: RunSnapshot): Record<string, number> {
  return { recorded, published, caughtUp };
}

/** `--view none`: only what failed, on stderr. */
function quiet({ stderr }: Invocation): Presentation {
  return {
    report: ({ severity, message }) => {
      if (severity === 'ERROR') void stderr.write(`${printable(message)}\n`).catch(() => {});
    },
    start: () => {},
    finish: async ({ failures }) => {
      for (const failure of failures) await stderr.write(`${printable(failure)}\n`);
    },
    close: () => {},
  };
}

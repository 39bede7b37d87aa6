// The scheduled job: `mk8s run` as a Cloud Run job has it. Configured by the environment alone, log lines on stdout, and one
// line at the end from which metrics are made (`run`). Executions may overlap: one waits for the other, or has nothing to do.

import type { RunSummary } from '../compose.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/options.ts';
import { Mk8sError, messageOf } from '../model/errors.ts';
import type { Engine } from './engine.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import type { LogEntry } from './log-lines.ts';
import { summarySentences } from './run-summary.ts';
import { type SignalOptions, withSignals } from './signals.ts';

/** Between two attempts to take over from an execution that is about to end, milliseconds. */
const HAND_OVER_EVERY_MS = 2_000;

export interface JobOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly process: SignalOptions['process'];
  readonly engine: () => Promise<Pick<Engine, 'startRun'>>;
  /** Opens the log, for the configured level. */
  readonly openLog: (level: Config['logLevel']) => (entry: LogEntry) => void;
  readonly now: () => number;
  /** Resolves after so many milliseconds; rejects when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * The exit code: as of `mk8s run`; 0 where in catch-up mode another execution is at work on the same share; 1 where no stream
 * reached its cluster's present and nothing was recorded or published, so that an execution that does nothing is noticed.
 */
export async function job(options: JobOptions): Promise<number> {
  const { env, cwd, now, openLog } = options;
  let log = openLog('info');
  try {
    const { config, warnings } = await loadConfig({ env, cwd });
    log = openLog(config.logLevel);
    for (const message of warnings) log({ severity: 'WARNING', message });
    const say = (text: string): void => log({ severity: 'ERROR', message: text.trim() });
    return await withSignals((signal) => run(config, signal, log, options), { process: options.process, say, now });
  } catch (error) {
    const exitCode = exitCodeOf(error);
    log({ severity: 'ERROR', message: messageOf(error), run: { exitCode } });
    return exitCode;
  }
}

async function run(
  config: Config,
  signal: AbortSignal,
  log: (entry: LogEntry) => void,
  options: JobOptions,
): Promise<number> {
  const summary = await handedOver(config, signal, log, options);
  if (summary === 'busy') {
    log({
      severity: 'INFO',
      message: 'Another execution is at work on this share: there is nothing to do.',
      run: { exitCode: exitCodes.ok, busy: true },
    });
    return exitCodes.ok;
  }
  const stuck = summary.exitCode === exitCodes.ok && !summary.progressed;
  const exitCode = stuck ? exitCodes.error : summary.exitCode;
  const sentences = summarySentences(summary);
  const told = stuck ? [...sentences, "No stream reached its cluster's present: see the warnings above."] : sentences;
  log({ severity: exitCode === 0 ? 'INFO' : 'ERROR', message: told.join(' '), run: reportOf(summary, exitCode) });
  return exitCode;
}

/** Runs once the share is free; `busy` where a catch-up finds it taken. */
async function handedOver(
  config: Config,
  signal: AbortSignal,
  log: (entry: LogEntry) => void,
  { engine, env, now, sleep }: JobOptions,
): Promise<RunSummary | 'busy'> {
  const { startRun } = await engine();
  const startedAt = now();
  for (let waited = false; ; waited = true) {
    const left = config.deadline === undefined ? undefined : config.deadline - (now() - startedAt);
    try {
      const handle = await startRun({ ...config, deadline: left }, { env, signal, report: log });
      return await handle.finished;
    } catch (error) {
      if (!(error instanceof Mk8sError) || error.code !== 'fenced') throw error;
      if (config.mode === 'catch-up') return 'busy';
      if (signal.aborted || (left !== undefined && left <= HAND_OVER_EVERY_MS)) throw error;
      if (!waited) log({ severity: 'INFO', message: `${messageOf(error)} Waiting to take over.` });
      await sleep(HAND_OVER_EVERY_MS, signal).catch((aborted: unknown) => {
        throw signal.aborted ? error : aborted;
      });
    }
  }
}

function reportOf(summary: RunSummary, exitCode: number): NonNullable<LogEntry['run']> {
  const { recorded, published, gaps, maxLagMs, neverCurrent, clusters, streams, failures, durationMs } = summary;
  return {
    exitCode,
    clusters,
    streams,
    neverCurrent,
    recorded: recorded.add + recorded.update + recorded.delete,
    published,
    caughtUp: summary.caughtUp,
    replayed: summary.replayed,
    resumed: summary.resumed,
    gaps,
    maxLagSeconds: Math.round(maxLagMs / 1000),
    failures: failures.length,
    durationSeconds: Math.round(durationMs / 1000),
  };
}

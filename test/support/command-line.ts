// Runs the command line in the test's process: with outputs that remember, a clock that stands, and a fake of the rest of mk8s.
import { EventEmitter } from 'node:events';
import type { Engine } from '../../lib/cli/engine.ts';
import { type Output, ReaderGone } from '../../lib/cli/output.ts';
import { type Host, mk8s } from '../../lib/cli/program.ts';
import type { StreamStatus } from '../../lib/model/stream-status.ts';
import { testStream } from './changes.ts';

export interface Recorded extends Output {
  text(): string;
}

/** An output that keeps what was written; with `readsOnly`, its reader goes away after that many writes. */
export function recordedOutput({ isTerminal = false, width = 80, height = 24, readsOnly = Infinity } = {}): Recorded {
  const chunks: string[] = [];
  return {
    isTerminal,
    size: () => ({ width, height }),
    isBehind: () => false,
    async write(chunk) {
      if (chunks.length >= readsOnly) throw new ReaderGone();
      chunks.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'));
    },
    onResize: () => () => {},
    text: () => chunks.join(''),
  };
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandLineOptions {
  readonly engine?: Partial<Engine>;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly now?: number;
  readonly stdout?: Recorded;
  /** Emits SIGINT and SIGTERM as the process would. */
  readonly signals?: EventEmitter;
}

/** The time at which tests of commands take place, unless they say otherwise. */
export const testNow = Date.UTC(2026, 0, 2);

/** `runCommand('status -o json', { engine })`: arguments are split at spaces. */
export async function runCommand(line: string, options: CommandLineOptions = {}): Promise<Outcome> {
  const { engine = {}, env = {}, cwd = '/nowhere', now = testNow, stdout = recordedOutput() } = options;
  const stderr = recordedOutput();
  const signals = options.signals ?? new EventEmitter();
  const host: Host = {
    env,
    cwd,
    stdout,
    stderr,
    engine: async () => engine as Engine,
    process: Object.assign(signals, { exit: (code: number) => void signals.emit('exited', code) }),
    now: () => now,
  };
  const code = await mk8s(
    line.split(' ').filter((word) => word !== ''),
    host,
  );
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

/** A stream's status: watching, and up to date at `testNow`, unless told otherwise. */
export function streamStatus(plural: string, cluster: string, options: Partial<StreamStatus> = {}): StreamStatus {
  return {
    stream: testStream(plural, `id-${cluster}`),
    clusterName: cluster,
    state: 'watching',
    epoch: 1,
    resourceVersion: '1000',
    recorded: 10,
    published: 10,
    objects: 7,
    currentAt: testNow - 2000,
    lastBookmarkAt: testNow - 30_000,
    gaps: 0,
    lastGapAt: 0,
    updatedAt: testNow,
    ...options,
  };
}

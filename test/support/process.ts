// Runs a command as a child process and lets a test wait for what it says: no sleeps, only output and exit.
import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

export interface Exit {
  /** Exit code, null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningProcess extends AsyncDisposable {
  readonly pid: number;
  /** All that it has written so far (the last `keep` characters of it). */
  stdout(): string;
  stderr(): string;
  /** Resolves when it has ended and all its output has been read. */
  readonly exit: Promise<Exit>;
  /**
   * Resolves with what `find` returns as soon as that is neither undefined nor false; asked again at every output.
   * Rejects, with the end of the output, where the process ends first or `timeoutMs` (default 30,000) pass.
   */
  waitFor<T>(
    what: string,
    find: (output: { stdout: string; stderr: string }) => T,
    timeoutMs?: number,
  ): Promise<Found<T>>;
  /** Sends a signal that need not end it: SIGSTOP, SIGCONT. */
  signal(name: NodeJS.Signals): void;
  /** Sends a signal (default SIGKILL) and resolves when the process has ended. */
  kill(signal?: NodeJS.Signals): Promise<Exit>;
}

type Found<T> = Exclude<T, undefined | false | null>;

export interface StartOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Gets each whole line of stdout as it comes, whatever its length, before waits look at the output. */
  readonly onLine?: (line: string) => void;
  /** Gets all output as it comes, both kinds, before lines and waits. */
  readonly onOutput?: (text: string) => void;
  /** How many characters of stdout, and of stderr, are kept for `stdout()`, `stderr()` and waits. Default 4 Mi. */
  readonly keep?: number;
}

const alive = new Set<ChildProcess>();
// A test worker that ends without having disposed of its processes takes them along.
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Starts a command, with its input empty. `env` is all of its environment, PATH and HOME aside. */
export function startProcess(command: string, args: readonly string[], options: StartOptions = {}): RunningProcess {
  const { keep = 4 * 1024 * 1024, onOutput } = options;
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  alive.add(child);
  const output = { stdout: '', stderr: '' };
  const watchers = new Set<() => void>();
  let ended: Exit | undefined;
  const changed = (): void => {
    for (const watcher of watchers) watcher();
  };
  const lines = options.onLine && lineSplitter(options.onLine);
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      onOutput?.(text);
      if (name === 'stdout') lines?.(text);
      output[name] = (output[name] + text).slice(-keep);
      changed();
    });
  }
  const exit = new Promise<Exit>((resolve) => {
    const end = (result: Exit): void => {
      alive.delete(child);
      ended = result;
      changed();
      resolve(result);
    };
    child.once('close', (code, signal) => end({ code, signal }));
    child.once('error', (error) => {
      output.stderr += `${command}: ${error.message}\n`;
      end({ code: 127, signal: null });
    });
  });

  function waitFor<T>(what: string, find: (seen: typeof output) => T, timeoutMs = 30_000): Promise<Found<T>> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        watchers.delete(look);
        clearTimeout(timer);
        act();
      };
      const fail = (why: string): void =>
        settle(() =>
          reject(new Error(`waited for ${what} of ${command} ${args.join(' ')}, but ${why}\n${tail(output)}`)),
        );
      const look = (): void => {
        const found = find(output);
        if (found !== undefined && found !== false && found !== null) settle(() => resolve(found as Found<T>));
        else if (ended !== undefined) fail(`it ended (${ended.signal ?? ended.code})`);
      };
      const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
      watchers.add(look);
      look();
    });
  }

  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> => {
    child.kill(signal);
    return exit;
  };
  return {
    pid: child.pid ?? 0,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    exit,
    waitFor,
    signal: (name) => void child.kill(name),
    kill,
    [Symbol.asyncDispose]: async () => void (await kill()),
  };
}

function lineSplitter(onLine: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) onLine(line);
  };
}

const root = resolve(import.meta.dirname, '../..');

/** Starts the real command, `mk8s ARGS…`, on the Node that runs the tests. */
export function startMk8s(args: readonly string[], options: StartOptions = {}): RunningProcess {
  return startProcess(process.execPath, [join(root, 'bin/mk8s.js'), ...args], options);
}

/** Runs the real command to its end. */
export async function runMk8s(
  args: readonly string[],
  options: StartOptions = {},
): Promise<Exit & { stdout: string; stderr: string }> {
  await using running = startMk8s(args, options);
  const exit = await running.exit;
  return { ...exit, stdout: running.stdout(), stderr: running.stderr() };
}

function tail({ stdout, stderr }: { stdout: string; stderr: string }): string {
  return `stdout: …${stdout.slice(-2000)}\nstderr: …${stderr.slice(-4000)}`;
}

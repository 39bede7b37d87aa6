// Runs one credential plugin: no terminal, bounded output, bounded time, and nothing left behind.
import { type ChildProcess, spawn } from 'node:child_process';
import { Mk8sError } from '../../model/errors.ts';
import { withoutCredentials } from '../../model/without-credentials.ts';

export interface ExecCommand {
  /** Absolute, or a name that is looked up in PATH. */
  readonly command: string;
  readonly args: readonly string[];
  /** The plugin's whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The kubeconfig's hint for people who don't have the plugin; '' for none. */
  readonly installHint: string;
  readonly timeoutMs: number;
}

// A credential is a few KB; a plugin that prints this much is not a plugin.
const MAX_STDOUT_BYTES = 1024 * 1024;
// Enough for a Go program's last words.
const STDERR_TAIL_BYTES = 2048;

/**
 * Resolves with the plugin's standard output. Throws Mk8sError `credentials` with the last 2 KB of its standard error
 * (never its standard output), or the signal's reason. The plugin and its children are killed when it is given up.
 */
export async function runExecPlugin(plugin: ExecCommand, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  // A process group of its own: scripts start other programs, and all of them must go when it is given up.
  const child = spawn(plugin.command, plugin.args, {
    env: plugin.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  const stdout: Buffer[] = [];
  let stdoutBytes = 0;
  let stderr = Buffer.alloc(0);
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-STDERR_TAIL_BYTES);
  });
  const tail = (): string => stderr.toString('utf8').trim();

  return await new Promise<string>((resolve, reject) => {
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      kill(child);
      settle();
    };
    const fail = (why: string, retryable: boolean, cause?: unknown): void =>
      finish(() => reject(pluginError(plugin, why, tail(), retryable, cause)));
    const abort = (): void => finish(() => reject(signal.reason));
    const timer = setTimeout(
      () => fail(`it did not finish within ${plugin.timeoutMs / 1000} s`, true),
      plugin.timeoutMs,
    );
    signal.addEventListener('abort', abort, { once: true });
    child.stdout.on('data', (chunk: Buffer) => {
      stdout.push(chunk);
      stdoutBytes += chunk.byteLength;
      if (stdoutBytes > MAX_STDOUT_BYTES) fail('it printed more than 1 MiB', false);
    });
    child.on('error', (error: NodeJS.ErrnoException) => fail(startFailure(error), false, error));
    child.on('close', (code, killedBy) => {
      if (code === 0) finish(() => resolve(Buffer.concat(stdout).toString('utf8')));
      else fail(killedBy === null ? `it ended with exit code ${code}` : `it was ended by ${killedBy}`, true);
    });
  });
}

function startFailure(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'there is no such program';
  if (error.code === 'EACCES') return 'it may not be executed';
  return `it cannot be started (${error.code ?? error.message})`;
}

function pluginError(plugin: ExecCommand, why: string, stderr: string, retryable: boolean, cause: unknown): Mk8sError {
  const said = stderr === '' ? '' : ` It said: ${withoutCredentials(stderr)}`;
  const hint =
    plugin.installHint === '' ? ' Install it, or correct the command in the kubeconfig.' : ` ${plugin.installHint}`;
  return new Mk8sError(
    `Cannot get a credential from exec plugin ${plugin.command}: ${why}.${said}${retryable ? '' : hint}`,
    { code: 'credentials', retryable, cause },
  );
}

function kill(child: ChildProcess): void {
  child.stdout?.destroy();
  child.stderr?.destroy();
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // Gone between the check and the kill.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

// Credentials from an exec plugin: one process for all who ask, renewed before they expire.
import type { Semaphore } from '../../async/semaphore.ts';
import { singleFlight } from '../../async/single-flight.ts';
import type { Credential, Credentials } from './credentials.ts';
import { type ExecApiVersion, type ExecClusterInfo, execInfo, parseExecAnswer } from './exec-credential.ts';
import { type ExecCommand, runExecPlugin } from './exec-process.ts';

export interface ExecPlugin extends ExecCommand {
  readonly apiVersion: ExecApiVersion;
  /** Read when the plugin is run; given where the kubeconfig says `provideClusterInfo`. */
  readonly clusterInfo?: () => Promise<ExecClusterInfo>;
}

/** kubectl waits for ever; a job without a terminal can't. Cold cloud CLIs take seconds, so a minute is generous. */
export const EXEC_TIMEOUT_MS = 60_000;

// After a failed early renewal, leave the plugin alone for this long: the credential at hand is still good.
const RENEWAL_PAUSE_MS = 10_000;

/**
 * Runs the plugin when a credential is first asked for, shortly before the last one expires (in the background: who
 * asks gets the one at hand), and when a fresh one is asked for. Callers at the same time share one process.
 * `processes` bounds how many plugins run at once, over all clusters.
 */
export function execCredentials(plugin: ExecPlugin, now: () => number, processes: Semaphore): Credentials {
  let held: Held | undefined;
  let renewalPausedUntil = 0;

  const obtain = singleFlight(async (signal) => {
    const stdout = await run(signal);
    const { credential, expiresAt } = parseExecAnswer(stdout, plugin.apiVersion, `Exec plugin ${plugin.command}`);
    held = hold(credential, expiresAt, now());
    return held.credential;
  });

  async function run(signal: AbortSignal): Promise<string> {
    const cluster = await plugin.clusterInfo?.();
    const env = { ...plugin.env, KUBERNETES_EXEC_INFO: execInfo(plugin.apiVersion, cluster) };
    const release = await processes.acquire(signal);
    try {
      return await runExecPlugin({ ...plugin, env }, signal);
    } finally {
      release();
    }
  }

  function renewInBackground(): void {
    renewalPausedUntil = now() + RENEWAL_PAUSE_MS;
    // A failure here is not news yet: when the credential has expired, a caller waits for the plugin and gets its error.
    obtain().catch(() => undefined);
  }

  return {
    get: ({ fresh, signal }) => {
      if (held === undefined || fresh || now() >= held.expiresAt) return obtain(signal);
      if (now() >= held.renewAt && now() >= renewalPausedUntil) renewInBackground();
      return Promise.resolve(held.credential);
    },
  };
}

interface Held {
  readonly credential: Credential;
  readonly expiresAt: number;
  readonly renewAt: number;
}

// A minute before the end, or, of lives shorter than five minutes, after four fifths.
function hold(credential: Credential, expiresAt: number | undefined, at: number): Held {
  if (expiresAt === undefined) return { credential, expiresAt: Infinity, renewAt: Infinity };
  return { credential, expiresAt, renewAt: Math.max(expiresAt - 60_000, at + 0.8 * (expiresAt - at)) };
}

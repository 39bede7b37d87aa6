// Credentials from an exec plugin: one process for all who ask, renewed before they expire.
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
 * `slot` bounds how many plugins run at once, over all clusters.
 */
export function execCredentials(plugin: ExecPlugin, now: () => number, slot: Slot = (work) => work()): Credentials {
  let held: Held | undefined;
  let renewalPausedUntil = 0;

  const obtain = singleFlight(async (signal) => {
    const stdout = await slot(async () => {
      const env = { ...plugin.env, KUBERNETES_EXEC_INFO: execInfo(plugin.apiVersion, await plugin.clusterInfo?.()) };
      return await runExecPlugin({ ...plugin, env }, signal);
    });
    const { credential, expiresAt } = parseExecAnswer(stdout, plugin.apiVersion, `Exec plugin ${plugin.command}`);
    held = hold(credential, expiresAt, now());
    return held.credential;
  });

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

/** Runs work when there is room for it. */
export type Slot = <T>(work: () => Promise<T>) => Promise<T>;

/** At most `limit` pieces of work at once; the others wait in order. */
export function slots(limit: number): Slot {
  const waiting: (() => void)[] = [];
  let busy = 0;
  return async (work) => {
    if (busy >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else busy += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) busy -= 1;
      else next();
    }
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

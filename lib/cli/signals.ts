// Ctrl-C and SIGTERM: the first asks for an orderly end, the second ends at once.
import type { EventEmitter } from 'node:events';

const numbers = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;
type SignalName = keyof typeof numbers;

export interface SignalOptions {
  /** Where signals arrive and the process can be ended: `process`. */
  readonly process: Pick<EventEmitter, 'on' | 'off'> & { exit(code: number): void };
  readonly say: (text: string) => void;
  readonly now: () => number;
  /** How long an orderly end may take. Cloud Run kills 10 s after SIGTERM. */
  readonly graceMs?: number;
}

// npm passes a terminal's Ctrl-C on to the command that had it from the terminal already: both come within milliseconds.
const sameKeyMs = 300;

/**
 * Runs `work` with a signal that the first SIGINT, SIGTERM or SIGHUP aborts. If work has not ended `graceMs` later
 * (default 8 s), ends the process with code 1. A second signal ends it at once with 128 + its number.
 */
export async function withSignals<T>(work: (signal: AbortSignal) => Promise<T>, options: SignalOptions): Promise<T> {
  const { process, say, now, graceMs = 8000 } = options;
  const controller = new AbortController();
  let firstAt: number | undefined;
  let forced: NodeJS.Timeout | undefined;

  const listeners = (Object.keys(numbers) as SignalName[]).map((name) => {
    const listener = (): void => {
      if (firstAt === undefined) {
        firstAt = now();
        forced = setTimeout(() => {
          say(
            `mk8s did not end in order within ${graceMs / 1000} s. What was not flushed is done again at the next start.\n`,
          );
          process.exit(1);
        }, graceMs);
        forced.unref();
        controller.abort(new DOMException(`${name} was received`, 'AbortError'));
      } else if (now() - firstAt >= sameKeyMs) {
        process.exit(128 + numbers[name]);
      }
    };
    process.on(name, listener);
    return { name, listener };
  });
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(forced);
    for (const { name, listener } of listeners) process.off(name, listener);
  }
}

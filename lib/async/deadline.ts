// A time limit on something that takes an AbortSignal, on a clock that can be simulated.

interface Sleeper {
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Deadline {
  /** Aborts when the outer signal does, or when the time is over. */
  readonly signal: AbortSignal;
  /** True where the time was over (and not the outer signal aborted). */
  readonly expired: boolean;
  /** Starts the time anew. */
  restart(ms: number): void;
  /** Stops the timer. Call it in `finally`. */
  stop(): void;
}

/** Nobody sees it. Without a reason, each abort makes a DOMException with a stack: a watch restarts its deadline at every batch. */
const STOPPED = new Error('the deadline was stopped');

/** Starts a deadline of `ms` inside `outer`. */
export function startDeadline(clock: Sleeper, ms: number, outer: AbortSignal): Deadline {
  const controller = new AbortController();
  let timer = new AbortController();
  let expired = false;

  function start(limit: number): void {
    timer.abort(STOPPED);
    const current = new AbortController();
    timer = current;
    clock.sleep(limit, current.signal).then(
      () => {
        // Stopped or restarted in the moment at which the time was over.
        if (current.signal.aborted) return;
        expired = true;
        controller.abort(new Error(`no answer within ${limit} ms`));
      },
      // Stopped or restarted: that is what the timer's signal is for.
      () => undefined,
    );
  }
  start(ms);
  return {
    signal: AbortSignal.any([outer, controller.signal]),
    get expired() {
      return expired;
    },
    restart: start,
    stop: () => timer.abort(STOPPED),
  };
}

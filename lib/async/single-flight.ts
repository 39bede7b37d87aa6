// One piece of work for many callers: fifty streams that need a token start one process, not fifty.

import { untilAborted } from './until-aborted.ts';

/**
 * Returns a function that runs `work`, or joins the run that is under way. A caller's signal ends only that caller's
 * wait, which then rejects with the signal's reason; when the last one has left, the work's own signal aborts.
 */
export function singleFlight<T>(work: (signal: AbortSignal) => Promise<T>): (signal?: AbortSignal) => Promise<T> {
  let current: Flight<T> | undefined;

  function start(): Flight<T> {
    const controller = new AbortController();
    const flight: Flight<T> = { result: work(controller.signal), waiting: 0, controller };
    const land = (): void => {
      if (current === flight) current = undefined;
    };
    // Every waiter sees the failure through `result`; this branch only forgets the flight.
    flight.result.then(land, land);
    return flight;
  }

  return async (signal) => {
    signal?.throwIfAborted();
    current ??= start();
    const flight = current;
    flight.waiting += 1;
    try {
      return await untilAborted(flight.result, signal);
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) {
        // Where the work is done already, this does nothing.
        flight.controller.abort();
        if (current === flight) current = undefined;
      }
    }
  };
}

interface Flight<T> {
  readonly result: Promise<T>;
  waiting: number;
  readonly controller: AbortController;
}

// Things that happen later, by the simulated clock.
import type { Clock } from '../../../lib/ports/clock.ts';

/** Nobody sees it; without a reason each abort would make an exception with a stack. */
const CANCELLED = new Error('cancelled');

/** Runs `act` after `ms`, unless what it returns is called before. */
export type After = (ms: number, act: () => void) => () => void;

export function createTimers(clock: Clock): After {
  return (ms, act) => {
    const controller = new AbortController();
    // Cancelled: that is what the signal is for.
    clock.sleep(ms, controller.signal).then(act, () => undefined);
    return () => controller.abort(CANCELLED);
  };
}

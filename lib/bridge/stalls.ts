// A process that stood still (SIGSTOP, a machine that was suspended or moved) wakes up with connections that may be dead, and
// nothing on them says so for minutes.
import type { Clock } from '../ports/clock.ts';

/** Between two looks at the clock, milliseconds. */
const LOOK_EVERY_MS = 5_000;
/** A look that is so late means that the process stood still: garbage collection and a busy machine take less. */
const STALL_MS = 15_000;

/** Calls `onStall` with how long it was, milliseconds, whenever time passed without this process. Ends when the signal aborts. */
export async function watchForStalls(clock: Clock, signal: AbortSignal, onStall: (ms: number) => void): Promise<void> {
  try {
    for (;;) {
      const before = clock.now();
      await clock.sleep(LOOK_EVERY_MS, signal);
      const late = clock.now() - before - LOOK_EVERY_MS;
      if (late >= STALL_MS) onStall(late);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

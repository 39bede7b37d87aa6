// How discovery speaks to a stream that waits, and what the stream knows better.
import { createWake } from '../async/wake.ts';
import type { WatchControl, WatchOutput } from '../watch/watch-context.ts';

export interface StreamControl extends WatchControl {
  /** The resource is served: try at once. Takes back that it is gone, where that was not acted on yet. */
  retry(): void;
  /**
   * Before it is looked whether the resource is gone for good. What it returns says that it is: false, and nothing happens, where
   * a living object was heard of since. The resource may have been made anew, and the server that is asked next not know it yet.
   */
  ask(): () => boolean;
  /** The stream heard this. Living objects take back that the resource is gone, where that was not acted on yet. */
  heard(output: WatchOutput): void;
  /** True where that was taken back so: it has to be looked again. */
  readonly doubted: boolean;
}

export function createStreamControl(): StreamControl {
  const wake = createWake();
  let gone = false;
  let doubted = false;
  /** Times that living objects were heard of. */
  let lives = 0;
  return {
    retry() {
      gone = false;
      doubted = false;
      wake.notify();
    },
    ask() {
      const before = lives;
      doubted = false;
      return () => {
        if (lives !== before) return false;
        gone = true;
        wake.notify();
        return true;
      };
    },
    heard(output) {
      if (!isAlive(output)) return;
      lives += 1;
      doubted ||= gone;
      gone = false;
    },
    get doubted() {
      return doubted;
    },
    async next(signal) {
      if (!gone) await wake.wait(signal);
      return { kind: gone ? 'removed' : 'elapsed' };
    },
  };
}

function isAlive(output: WatchOutput): boolean {
  if (output.kind === 'listed') return output.objects.length > 0;
  return output.kind === 'events' && output.events.some(({ type }) => type !== 'DELETED');
}

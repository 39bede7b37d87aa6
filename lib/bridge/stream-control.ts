// How discovery speaks to a stream that waits.
import { createWake } from '../async/wake.ts';
import type { WatchControl } from '../watch/watch-context.ts';

export interface StreamControl extends WatchControl {
  /** The resource is served: try at once. Takes back a `remove` that was not acted on yet. */
  retry(): void;
  /** The resource is gone for good. */
  remove(): void;
}

export function createStreamControl(): StreamControl {
  const wake = createWake();
  let removed = false;
  return {
    retry() {
      removed = false;
      wake.notify();
    },
    remove() {
      removed = true;
      wake.notify();
    },
    async next(signal) {
      if (!removed) await wake.wait(signal);
      return { kind: removed ? 'removed' : 'elapsed' };
    },
  };
}

// What goes wrong during a soak, and when: an endless plan of about one fault in three minutes.
import type { Load } from './soak-load.ts';

export interface PlannedFault {
  /** Since the one before. */
  readonly afterMs: number;
  readonly what: string;
  readonly act: () => Promise<unknown>;
}

const MINUTE_MS = 60_000;

/** By the minute of each half hour. */
export function* planOf(load: Load): Generator<PlannedFault> {
  const { ask, receiver } = load;
  const count = load.clusters;
  for (let round = 0; ; round += 1) {
    const cluster = (offset: number): number => (round + offset) % count;
    const sink = (state: typeof receiver.state) => async (): Promise<void> => {
      receiver.state = state;
    };
    const fault = (minutes: number, what: string, act: PlannedFault['act']): PlannedFault => ({
      afterMs: minutes * MINUTE_MS,
      what,
      act,
    });
    yield fault(2, 'history gone (410)', () => ask('gone', cluster(0)));
    yield fault(3, 'connections reset', () => ask('drop', cluster(1)));
    yield fault(4, 'server restarted, 15 s away', () => ask('restart', cluster(2)));
    yield fault(3, 'webhook down for a minute', sink(round % 2 === 0 ? 'refusing' : 'silent'));
    yield fault(1, 'webhook back', sink('up'));
    yield fault(4, 'history gone (410)', () => ask('gone', cluster(1)));
    yield fault(4, 'watches ended', () => ask('endWatches', cluster(2)));
    yield fault(3, 'server restarted, 15 s away', () => ask('restart', cluster(0)));
    yield fault(3, 'history gone (410)', () => ask('gone', cluster(2)));
    yield fault(3, 'connections reset', () => ask('drop', cluster(0)));
  }
}

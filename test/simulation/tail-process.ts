// `mk8s tail --subscription … --follow` in a simulation: the production loop, printing to a watcher.
import { clusterNames } from '../../lib/cli/tail/cluster-names.ts';
import { deliver } from '../../lib/cli/tail/deliver.ts';
import { findStart } from '../../lib/cli/tail/start.ts';
import { filterOf } from '../../lib/cli/tail/where.ts';
import { cloudEventAttributes } from '../../lib/model/cloud-event.ts';
import type { Revision } from '../../lib/model/revision.ts';
import type { SimProcess } from './process.ts';
import type { Arrival } from './sink.ts';
import type { SimStore } from './store.ts';

export interface TailProcess {
  readonly process: SimProcess;
  readonly subscription: string;
  stop(): void;
  readonly stopping: boolean;
  /** How it ended; undefined while it runs, and for ever where it died. */
  readonly ended: { readonly error?: unknown } | undefined;
}

export interface TailParts {
  readonly process: SimProcess;
  readonly subscription: string;
  readonly store: SimStore;
  readonly pageBytes: number;
  /** It ended by itself, or in order. */
  readonly onEnded: () => void;
  readonly onArrival: (arrival: Arrival) => void;
  /** Retention removed changes in (from, to] before they were read. */
  readonly onMissed: (from: number, to: number) => void;
}

/** A terminal or pipe takes this long at most to accept a page, milliseconds. */
const SLOW_MS = 50;

export function startTail({
  process,
  subscription,
  store,
  pageBytes,
  onEnded,
  onArrival,
  onMissed,
}: TailParts): TailProcess {
  const { clock, dice } = process;
  const stop = new AbortController();
  let ended: TailProcess['ended'];

  async function hand(revisions: readonly Revision[]): Promise<void> {
    await clock.sleep(dice.int(SLOW_MS));
    for (const revision of revisions) {
      onArrival({ attributes: cloudEventAttributes(revision), object: revision.object, revision });
    }
  }

  async function run(): Promise<void> {
    const folder = store.openFolder(process);
    try {
      const request = { from: undefined, subscription, rewind: false, follow: true };
      const { after } = await findStart(request, folder.feed, folder.subscriptions);
      const names = clusterNames(folder.status);
      await deliver({
        folder,
        names,
        after,
        follow: true,
        filter: filterOf([], names.get),
        signal: stop.signal,
        subscription,
        now: () => clock.now(),
        pageBytes,
        hand: (revisions) => process.call('print', () => hand(revisions)),
        onMissed,
      });
    } finally {
      await folder.close();
    }
  }

  run().then(
    () => end({}),
    (error: unknown) => end({ error }),
  );

  function end(how: NonNullable<TailProcess['ended']>): void {
    if (!process.alive) return;
    ended = how;
    onEnded();
  }

  return {
    process,
    subscription,
    stop: () => stop.abort(new Error('told to stop')),
    get stopping() {
      return stop.signal.aborted;
    },
    get ended() {
      return ended;
    },
  };
}

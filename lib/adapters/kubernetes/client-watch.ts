// The library's watch: existing objects first (or from a resourceVersion on), then every change, across the ends of
// single connections. It is simple on purpose; the bridge has a state machine of its own, with checkpoints (lib/watch).
//
// What it promises: no change is left out silently. A gap that cannot be bridged is an error, or with `onGap: 'relist'`
// a RELIST event after which all objects come again.
import { Mk8sError } from '../../model/errors.ts';
import type { ScannedObject } from '../../model/revision.ts';
import type { Clock, Random } from '../../ports/clock.ts';
import { type Collection, listPages } from './client-list.ts';
import { initialSilenceMs, watchStream } from './client-stream.ts';
import { isInterruption, noInitialEnd, type StreamingSupport, streamingFailed } from './client-streaming-list.ts';
import { statusError, type Target } from './rest.ts';

export interface WatchSettings extends Collection {
  /** Start after this one; absent: existing objects first. */
  readonly resourceVersion?: string;
  readonly onGap: 'throw' | 'relist';
  readonly clock: Clock;
  readonly random: Random;
  readonly support: StreamingSupport;
}

export type RawWatchEvent =
  | {
      readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
      readonly object: ScannedObject;
      readonly resourceVersion: string;
    }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly initialEventsEnd: boolean }
  | { readonly type: 'RELIST'; readonly reason: string };

/** Between two connections of which the first brought nothing and ended at once, so that a server is not asked in a loop. */
const pauseMs = 1000;

/** On top of a connection's own lifetime, during all of which a quiet collection may be silent (kube-rs allows 5 s). */
const graceMs = 15_000;

/** Yields the events of a collection until the caller leaves, the signal aborts, or an error is thrown. */
export async function* watchCollection(
  target: Target,
  settings: WatchSettings,
): AsyncGenerator<RawWatchEvent, void, undefined> {
  const { clock, support } = settings;
  // Undefined during the initial events: only their end, then every event and bookmark, moves the position.
  let position = settings.resourceVersion;
  for (;;) {
    const startedAt = clock.now();
    let yielded = false;
    try {
      const pages = position === undefined && !support.streaming;
      for await (const event of pages ? listed(target, settings) : connection(target, settings, position)) {
        if (event.type === 'BOOKMARK' || position !== undefined) position = event.resourceVersion;
        yielded = true;
        yield event;
      }
    } catch (error) {
      const next = afterFailure(error, position === undefined, yielded, support);
      if (next === 'throw') throw error;
      if (next === 'gap') {
        const gap = gapError(target, settings, position, error);
        if (settings.onGap === 'throw') throw gap;
        position = undefined;
        yield { type: 'RELIST', reason: gap.message };
      }
    }
    const empty = position !== undefined && !yielded;
    if (empty && clock.now() - startedAt < pauseMs) await clock.sleep(pauseMs, settings.signal);
  }
}

type PositionedEvent = Exclude<RawWatchEvent, { type: 'RELIST' }>;

/** The existing objects by pages, then a bookmark: following from there misses nothing. */
async function* listed(target: Target, settings: WatchSettings): AsyncGenerator<PositionedEvent, void, undefined> {
  const pages = listPages(target, settings);
  for (let page = await pages.next(); ; page = await pages.next()) {
    if (page.done === true) {
      yield { type: 'BOOKMARK', resourceVersion: page.value.resourceVersion, initialEventsEnd: true };
      return;
    }
    for (const object of page.value) yield { type: 'ADDED', object, resourceVersion: object.resourceVersion };
  }
}

/** One watch connection, with the existing objects first where `position` is undefined. */
async function* connection(
  target: Target,
  settings: WatchSettings,
  position: string | undefined,
): AsyncGenerator<PositionedEvent, void, undefined> {
  // Spread over 4 to 8 minutes (client-go: 5 to 10), so that many watches do not all reconnect at once.
  const timeoutSeconds = Math.round(240 * (1 + settings.random()));
  let initial = position === undefined;
  const lines = watchStream(target, {
    ...settings,
    from: position === undefined ? 'initial' : { resourceVersion: position },
    timeoutSeconds,
    silenceMs: () => (initial ? initialSilenceMs : timeoutSeconds * 1000 + graceMs),
  });
  for await (const batch of lines) {
    for (const line of batch) {
      if (line.kind === 'error') throw statusError(target, settings.attempt, line.status);
      if (line.kind === 'object') {
        yield { type: line.type, object: line.object, resourceVersion: line.object.resourceVersion };
      } else if (!initial || line.initialEventsEnd) {
        yield { type: 'BOOKMARK', resourceVersion: line.resourceVersion, initialEventsEnd: initial };
        initial = false;
      }
    }
  }
  if (initial) throw noInitialEnd(target, settings.attempt);
}

/** What a failure means: ask again, tell of a gap, or throw. */
function afterFailure(
  error: unknown,
  initial: boolean,
  yielded: boolean,
  support: StreamingSupport,
): 'again' | 'gap' | 'throw' {
  if (!(error instanceof Mk8sError)) return 'throw';
  if (!initial) return isInterruption(error) ? 'again' : error.status === 410 ? 'gap' : 'throw';
  if (support.streaming && streamingFailed(error)) {
    support.streaming = false;
    return yielded ? 'gap' : 'again';
  }
  return yielded && isInterruption(error) ? 'gap' : 'throw';
}

function gapError(target: Target, settings: WatchSettings, position: string | undefined, cause: unknown): Mk8sError {
  const why =
    position === undefined
      ? 'the list of existing objects broke off'
      : `the server no longer knows resourceVersion ${position}`;
  return new Mk8sError(
    `Cannot ${settings.attempt} in cluster "${target.name}" without a gap: ${why}, changes may be missing; list again, or ask with onGap: 'relist'`,
    { code: 'http', status: 410, reason: 'Expired', cause },
  );
}

// One watch connection: its request, its lines, and a limit on silence, which is how a half-open connection shows.
import { type Deadline, startDeadline } from '../../async/deadline.ts';
import type { WatchLine } from '../../decode/watch-line.ts';
import { decodeWatch } from '../../decode/watch-stream.ts';
import { Mk8sError } from '../../model/errors.ts';
import type { ApiResponse } from '../../ports/api-server.ts';
import type { Clock } from '../../ports/clock.ts';
import { acceptHeader, type Collection, selectorQuery } from './client-list.ts';
import { explain, send, type Target } from './rest.ts';

/**
 * How long a server may keep silent before the end of the initial events: it sends them without a pause, and a server
 * that never sends their end (one that ignores sendInitialEvents) must not hold a list up for ever.
 */
export const initialSilenceMs = 30_000;

export interface StreamOptions extends Collection {
  /** `initial` for a streaming list, else the resourceVersion to start after. */
  readonly from: 'initial' | { readonly resourceVersion: string };
  /** The server ends the stream in order after this. */
  readonly timeoutSeconds: number;
  /** The longest silence, asked anew before each wait. The time that the consumer takes does not count. */
  readonly silenceMs: () => number;
  readonly clock: Clock;
}

/**
 * Opens one watch and yields its lines in batches as they arrive. Ends where the server ended it in order.
 * Throws Mk8sError: `http` for a status, `interrupted` where the connection broke or kept silent too long.
 */
export async function* watchStream(
  target: Target,
  options: StreamOptions,
): AsyncGenerator<readonly WatchLine[], void, undefined> {
  const { attempt, clock, silenceMs } = options;
  const deadline = startDeadline(clock, silenceMs(), options.signal ?? new AbortController().signal);
  try {
    const response = await send(target, watchRequest(options, deadline.signal), attempt);
    deadline.stop();
    try {
      yield* decodeWatch(attentive(response, deadline, silenceMs));
    } catch (error) {
      throw deadline.expired ? error : explain(target, attempt, error, options.signal);
    }
  } catch (error) {
    if (!deadline.expired || options.signal?.aborted === true) throw error;
    const silent = `the server was silent for ${Math.round(silenceMs() / 1000)} s`;
    throw explain(target, attempt, new Mk8sError(silent, { code: 'interrupted', retryable: true }));
  } finally {
    deadline.stop();
  }
}

function watchRequest(options: StreamOptions, signal: AbortSignal) {
  const { from, timeoutSeconds } = options;
  // resourceVersionMatch always: without it, old servers ignore sendInitialEvents instead of refusing it.
  const start =
    from === 'initial'
      ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
      : { resourceVersion: from.resourceVersion };
  return {
    path: options.path,
    query: { ...selectorQuery(options), watch: true, allowWatchBookmarks: true, timeoutSeconds, ...start },
    headers: acceptHeader(options.metadataOnly, 'object'),
    signal,
  };
}

/** The same body; while the next part is waited for, the deadline runs. */
async function* attentive(
  response: ApiResponse,
  deadline: Deadline,
  silenceMs: () => number,
): AsyncGenerator<readonly Uint8Array[]> {
  deadline.restart(silenceMs());
  for await (const chunks of response.body) {
    deadline.stop();
    yield chunks;
    deadline.restart(silenceMs());
  }
  deadline.stop();
}

// One watch connection: a plain watch, or a streaming list that goes on as a watch.
import { type Deadline, startDeadline } from '../async/deadline.ts';
import type { WatchLine } from '../decode/watch-line.ts';
import { decodeWatch } from '../decode/watch-stream.ts';
import { compareObjectKeys, type ObjectKey, objectKey } from '../model/revision.ts';
import type { ApiResponse } from '../ports/api-server.ts';
import { refusal } from './prove.ts';
import { ahead, streamingListRequest, watchRequest } from './requests.ts';
import type { ActiveState, WatchInput } from './state.ts';
import type { Step, WatchContext, WatchEvent } from './watch-context.ts';

type Connected = ActiveState & { kind: 'streaming' | 'watching' };

/** Opens the connection of a state and hands out what it brings, until it ends. Throws what the ApiServer throws. */
export async function* openWatch(state: Connected, context: WatchContext): AsyncGenerator<Step, void, undefined> {
  const seconds = context.policy.timeoutSeconds(context.random);
  const limitMs = seconds * 1000 + context.policy.graceMs;
  const deadline = startDeadline(context.clock, limitMs, context.signal);
  let listing = state.kind === 'streaming';
  try {
    for await (const step of connection(state, context, { seconds, limitMs, deadline })) {
      if (step.input?.kind === 'listed') listing = false;
      yield step;
    }
  } catch (error) {
    if (!deadline.expired) throw error;
    const problem = `nothing came for ${Math.round((listing ? context.policy.silenceMs : limitMs) / 1000)} s: the connection is dead`;
    yield { input: listing ? { kind: 'unfit' } : { kind: 'broken', problem } };
  } finally {
    deadline.stop();
  }
}

async function* connection(
  state: Connected,
  { api, collection, clock, policy, record, readAheadBytes }: WatchContext,
  { seconds, limitMs, deadline }: { seconds: number; limitMs: number; deadline: Deadline },
): AsyncGenerator<Step, void, undefined> {
  const startedAt = clock.now();
  const question =
    state.kind === 'streaming'
      ? streamingListRequest(collection(), seconds)
      : watchRequest(collection(), state.resourceVersion, seconds);
  const response = await api.request({
    ...question,
    ...ahead(readAheadBytes),
    freshCredentials: state.memory.renewed,
    signal: deadline.signal,
  });
  if (response.status !== 200) return yield { input: await refusalWithin(policy.silenceMs, deadline, response) };

  let read = readEvents;
  if (state.kind === 'streaming') {
    const ordered = (await record.lastStates(undefined, 1)).length > 0;
    yield { output: { kind: 'sync', reason: state.reason, epoch: state.memory.epoch, ordered } };
    read = listReader(ordered);
    deadline.restart(policy.silenceMs);
  }
  let lines = 0;
  for await (const batch of decodeWatch(response.body, { ownsChunks: response.ownsChunks === true })) {
    // While the consumer works nobody reads: that is no silence of the server's.
    if (read !== readEvents) deadline.stop();
    lines += batch.length;
    for (const step of read(batch)) {
      yield step;
      if (step.input?.kind === 'status' || step.input?.kind === 'unfit') return;
      if (step.input?.kind === 'listed') read = readEvents;
    }
    // Not below 0: the wall clock may have been set back.
    const elapsed = Math.max(0, clock.now() - startedAt);
    deadline.restart(read === readEvents ? Math.max(1, limitMs - elapsed) : policy.silenceMs);
  }
  // Servers end a watch up to a second before timeoutSeconds.
  const lasted = clock.now() - startedAt >= (seconds - 1) * 1000;
  if (lasted && state.kind === 'watching') yield { output: { kind: 'lasted' } };
  yield { input: { kind: 'ended', productive: lasted || lines > 0 } };
}

/** An error is short and comes at once, or its connection is dead. Its code and headers are known all the same. */
async function refusalWithin(ms: number, deadline: Deadline, response: ApiResponse): Promise<WatchInput> {
  deadline.restart(ms);
  try {
    return await refusal(response);
  } catch (error) {
    if (!deadline.expired) throw error;
    const known = await refusal({ ...response, body: noBody() });
    return { ...known, message: `its text did not come within ${ms / 1000} s` };
  }
}

async function* noBody(): AsyncGenerator<never> {
  // What came of it is cut off, and no Status.
}

type Read = (batch: readonly WatchLine[]) => Generator<Step, void, undefined>;

/** Lines of a plain watch: runs of events, bookmarks, an error. */
function* readEvents(batch: readonly WatchLine[]): Generator<Step, void, undefined> {
  let events: WatchEvent[] = [];
  for (const line of batch) {
    if (line.kind === 'object') {
      events.push(line);
      continue;
    }
    if (events.length > 0) yield eventsStep(events);
    events = [];
    if (line.kind === 'error') return yield errorStep(line);
    const { resourceVersion } = line;
    yield { output: { kind: 'bookmark', resourceVersion }, input: { kind: 'bookmark', resourceVersion } };
  }
  if (events.length > 0) yield eventsStep(events);
}

/**
 * Lines of a streaming list up to its end mark, and in the same batch events after it. A server that does not really
 * do it shows by live events or bookmarks before the mark, or (where it matters) by no key order.
 */
function listReader(ordered: boolean): Read {
  let last: ObjectKey | undefined;
  return function* readList(batch) {
    const mark = batch.findIndex((line) => line.kind !== 'object' || line.type !== 'ADDED');
    const added = (mark < 0 ? batch : batch.slice(0, mark)).flatMap((line) =>
      line.kind === 'object' ? [line.object] : [],
    );
    for (const object of ordered ? added : []) {
      const key = objectKey(object.namespace, object.name);
      if (last !== undefined && compareObjectKeys(key, last) <= 0) return yield { input: { kind: 'unfit' } };
      last = key;
    }
    if (added.length > 0) yield { output: { kind: 'listed', objects: added, again: false } };
    const end = batch[mark];
    if (end === undefined) return;
    if (end.kind === 'error') return yield errorStep(end);
    if (end.kind !== 'bookmark' || !end.initialEventsEnd) return yield { input: { kind: 'unfit' } };
    const { resourceVersion } = end;
    yield {
      output: { kind: 'synced', asOf: resourceVersion, resourceVersion },
      input: { kind: 'listed', resourceVersion },
    };
    yield* readEvents(batch.slice(mark + 1));
  };
}

function eventsStep(events: readonly WatchEvent[]): Step {
  // Never empty here.
  const { resourceVersion } = (events.at(-1) as WatchEvent).object;
  return { output: { kind: 'events', events, resourceVersion }, input: { kind: 'objects', resourceVersion } };
}

function errorStep({ status }: WatchLine & { kind: 'error' }): Step {
  const retryAfter = status.retryAfterSeconds === undefined ? {} : { retryAfterMs: status.retryAfterSeconds * 1000 };
  return {
    input: { kind: 'status', code: status.code, reason: status.reason, message: status.message, ...retryAfter },
  };
}

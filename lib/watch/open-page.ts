// One page of a paged list.
import { type Deadline, startDeadline } from '../async/deadline.ts';
import { decodeList } from '../decode/list-stream.ts';
import type { ScannedObject } from '../model/revision.ts';
import type { AskedPage, NextPage, Paging } from './next-page.ts';
import { refusal } from './prove.ts';
import { ahead, pageRequest } from './requests.ts';
import type { Step, WatchContext } from './watch-context.ts';

/** Held of a page until the token for the next one is known, where no share of a budget says how much; bytes. */
const HELD_BYTES = 2 * 1024 * 1024;

/** A page that takes longer, milliseconds, comes by a slow line: asking ahead gains nothing, and pages may have to be smaller. */
const PROMPT_MS = 5_000;

/**
 * Reads the page of a state, which `next` may have asked for already. With `next`, the one that follows is asked for before
 * this one's objects are handed out, as long as they fit the stream's share of what may be read ahead.
 * Throws what the ApiServer throws.
 */
export async function* openPage(
  state: Paging,
  context: WatchContext,
  next: NextPage | undefined,
): AsyncGenerator<Step, void, undefined> {
  const asked = next?.take();
  const deadline = startDeadline(context.clock, context.policy.silenceMs, context.signal);
  const abandon = (): void => asked?.abandon();
  deadline.signal.addEventListener('abort', abandon, { once: true });
  try {
    for await (const step of page(state, context, { asked, next, deadline })) {
      // While the consumer works nobody reads: that is no silence of the server's.
      deadline.stop();
      yield step;
      deadline.restart(context.policy.silenceMs);
    }
  } catch (error) {
    if (!deadline.expired) throw error;
    yield {
      input: { kind: 'broken', problem: `a page of the list did not go on for ${context.policy.silenceMs / 1000} s` },
    };
  } finally {
    deadline.signal.removeEventListener('abort', abandon);
    deadline.stop();
    abandon();
  }
}

async function* page(
  state: Paging,
  context: WatchContext,
  { asked, next, deadline }: { asked: AskedPage | undefined; next: NextPage | undefined; deadline: Deadline },
): AsyncGenerator<Step, void, undefined> {
  const { api, collection, record, readAheadBytes, clock } = context;
  const askedAt = asked?.askedAt ?? clock.now();
  const response = await (asked?.response ??
    api.request({
      ...pageRequest(collection(), state.continueToken, state.limit),
      ...ahead(readAheadBytes),
      freshCredentials: state.memory.renewed,
      signal: deadline.signal,
    }));
  if (response.status !== 200) return yield { input: await refusal(response) };
  if (state.continueToken === '') {
    const ordered = (await record.lastStates(undefined, 1)).length > 0;
    yield { output: { kind: 'sync', reason: state.reason, epoch: state.memory.epoch, ordered } };
  }
  // A page that broke off is asked for again, and begins with what was handed out before.
  const again = state.continueToken !== '' && state.memory.failures > 0;
  const listed = (objects: readonly ScannedObject[]): Step => ({ output: { kind: 'listed', objects, again } });
  const held: ScannedObject[] = [];
  let room = next === undefined ? 0 : (readAheadBytes?.() ?? HELD_BYTES);
  try {
    for await (const part of decodeList(response.body, { ownsChunks: response.ownsChunks === true })) {
      if (part.kind === 'objects') {
        room -= part.objects.reduce((bytes, { object }) => bytes + object.byteLength, 0);
        held.push(...part.objects);
        // Of a page that does not fit, the rest is handed out as it comes.
        if (room < 0) yield listed(held.splice(0));
        else yield {};
        continue;
      }
      const { resourceVersion, continueToken } = part;
      const asOf = state.first ?? resourceVersion;
      const input = { kind: 'page', resourceVersion, continueToken } as const;
      const isPrompt = clock.now() - askedAt <= PROMPT_MS;
      if (next !== undefined && continueToken !== '' && isPrompt) {
        next.ask({ ...state, continueToken }, context);
        // It goes out once this thread is idle for a moment, and what follows may keep it busy for the whole page.
        await clock.sleep(0, deadline.signal);
      }
      if (held.length > 0) yield listed(held.splice(0));
      if (continueToken !== '') return yield { output: { kind: 'page', asOf }, input };
      const from = state.consistent ? resourceVersion : asOf;
      yield { output: { kind: 'synced', asOf, resourceVersion: from }, input };
    }
  } catch (error) {
    // What was whole before the page broke off.
    if (held.length > 0 && !context.signal.aborted) yield listed(held);
    throw error;
  }
}

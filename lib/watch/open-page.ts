// One page of a paged list.
import { type Deadline, startDeadline } from '../async/deadline.ts';
import { decodeList } from '../decode/list-stream.ts';
import { refusal } from './prove.ts';
import { ahead, pageRequest } from './requests.ts';
import type { ActiveState } from './state.ts';
import type { Step, WatchContext } from './watch-context.ts';

/** Asks for the page of a state. Throws what the ApiServer throws. */
export async function* openPage(
  state: ActiveState & { kind: 'paging' },
  context: WatchContext,
): AsyncGenerator<Step, void, undefined> {
  const deadline = startDeadline(context.clock, context.policy.silenceMs, context.signal);
  try {
    for await (const step of page(state, context, deadline)) {
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
    deadline.stop();
  }
}

async function* page(
  state: ActiveState & { kind: 'paging' },
  { api, collection, record, readAheadBytes }: WatchContext,
  { signal }: Deadline,
): AsyncGenerator<Step, void, undefined> {
  const request = pageRequest(collection(), state.continueToken, state.limit);
  const response = await api.request({
    ...request,
    ...ahead(readAheadBytes),
    freshCredentials: state.memory.renewed,
    signal,
  });
  if (response.status !== 200) return yield { input: await refusal(response) };
  if (state.continueToken === '') {
    const ordered = (await record.lastStates(undefined, 1)).length > 0;
    yield { output: { kind: 'sync', reason: state.reason, epoch: state.memory.epoch, ordered } };
  }
  // A page that broke off is asked for again, and begins with what was handed out before.
  const again = state.continueToken !== '' && state.memory.failures > 0;
  for await (const part of decodeList(response.body, { ownsChunks: response.ownsChunks === true })) {
    if (part.kind === 'objects') {
      yield { output: { kind: 'listed', objects: part.objects, again } };
      continue;
    }
    const { resourceVersion, continueToken } = part;
    const asOf = state.first ?? resourceVersion;
    const input = { kind: 'page', resourceVersion, continueToken } as const;
    if (continueToken !== '') return yield { output: { kind: 'page', asOf }, input };
    const from = state.consistent ? resourceVersion : asOf;
    yield { output: { kind: 'synced', asOf, resourceVersion: from }, input };
  }
}

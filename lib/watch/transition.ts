// The one transition function of a watch (promises 1 and 10): pure, total, tested as a table of every state × every
// input. What it relies on of real servers is in docs/kubernetes.md.
import { patience } from '../async/retry-after.ts';
import { compareResourceVersions } from '../model/resource-version.ts';
import { PAGE_LIMIT } from './requests.ts';
import type { ActiveState, Memory, SyncReason, WaitReason, WatchInput, WatchState } from './state.ts';

/** The state after `input` happened in `state`. An input that means nothing in a state leaves it as it is. */
export function transition(state: WatchState, input: WatchInput): WatchState {
  if (state.kind === 'ended' || input.kind === 'removed') return { kind: 'ended' };
  if (state.kind === 'waiting') return input.kind === 'elapsed' ? state.next : state;
  switch (input.kind) {
    case 'elapsed':
      return state;
    case 'lapsed':
      return unlapsed(state, input.slowPage === true);
    case 'status':
      return afterStatus(state, input);
    case 'broken':
      return wait(state, input.denied === true ? 'denied' : 'backoff', input.problem, proven(state));
    case 'objects':
    case 'bookmark':
    case 'listed':
    case 'page':
    case 'proof':
    case 'ended':
    case 'unfit':
      return afterProgress(state, input);
  }
}

type Progress = Extract<WatchInput, { kind: 'objects' | 'bookmark' | 'listed' | 'page' | 'proof' | 'ended' | 'unfit' }>;

function afterProgress(state: ActiveState, input: Progress): WatchState {
  switch (state.kind) {
    case 'probing':
      if (input.kind !== 'proof') return state;
      if (input.verdict === 'same') {
        return { kind: 'watching', resourceVersion: input.resourceVersion, memory: renewed(state.memory) };
      }
      return sync(input.verdict === 'restored' ? nextEpoch(state.memory) : state.memory, input.verdict);
    case 'streaming':
      return inStreaming(state, input);
    case 'paging':
      return input.kind === 'page' ? afterPage(state, input) : state;
    case 'watching':
      return inWatching(state, input);
  }
}

/** During the first sync nothing moves the resourceVersion but the end mark. */
function inStreaming(state: ActiveState & { kind: 'streaming' }, input: Progress): WatchState {
  switch (input.kind) {
    case 'listed':
      return { kind: 'watching', resourceVersion: input.resourceVersion, memory: settled(state.memory) };
    case 'unfit':
    // A clean end without the end mark: the server ignored the question.
    case 'ended':
      return sync({ ...state.memory, streamingLists: false }, state.reason);
    case 'objects':
    case 'bookmark':
    case 'page':
    case 'proof':
      return state;
  }
}

function afterPage(state: ActiveState & { kind: 'paging' }, page: Progress & { kind: 'page' }): WatchState {
  const first = state.first ?? page.resourceVersion;
  const memory = settled(state.memory);
  if (page.continueToken !== '') return { ...state, continueToken: page.continueToken, first, memory };
  return { kind: 'watching', resourceVersion: state.consistent ? page.resourceVersion : first, memory };
}

function inWatching(state: ActiveState & { kind: 'watching' }, input: Progress): WatchState {
  switch (input.kind) {
    case 'objects':
    case 'bookmark':
    case 'listed':
      // A server that is behind what it told us before was restored, or is a stale replica: a comparison shows it.
      return compareResourceVersions(input.resourceVersion, state.resourceVersion) < 0
        ? sync(state.memory, 'unproven')
        : { ...state, resourceVersion: input.resourceVersion, memory: settled(state.memory) };
    case 'ended':
      // timeoutSeconds, a changed CRD and a deleted CRD all end like this: ask again, it says which.
      return input.productive
        ? { ...state, memory: settled(state.memory) }
        : wait(state, 'backoff', 'the server ended the watch at once', state);
    case 'page':
    case 'proof':
    case 'unfit':
      return state;
  }
}

function afterStatus(state: ActiveState, status: WatchInput & { kind: 'status' }): WatchState {
  const problem = `${status.code} ${status.reason}: ${status.message}`;
  switch (status.code) {
    case 401:
      if (!state.memory.renewed) return { ...state, memory: { ...state.memory, renewed: true } };
      return wait(state, 'denied', problem, state);
    case 403:
      return wait(state, 'denied', problem, state);
    case 404:
      return wait(state, 'absent', problem, state);
    case 410:
      return afterExpiry(state, problem, status.continueToken);
    case 422:
      // Only a streaming list is refused so (gate off, or a server that is too old); texts and fields differ.
      if (state.kind === 'streaming') return sync({ ...state.memory, streamingLists: false }, state.reason);
      return wait(state, 'denied', problem, state);
    case 429:
      return wait(state, 'throttled', problem, state, status.retryAfterMs);
    default:
      // 504 on a watch means a resourceVersion from the future: proven() looks whether the cluster was restored.
      return status.retryAfterMs === undefined
        ? wait(state, 'backoff', problem, proven(state))
        : wait(state, 'throttled', problem, proven(state), status.retryAfterMs);
  }
}

function afterExpiry(state: ActiveState, problem: string, continueToken: string | undefined): WatchState {
  switch (state.kind) {
    case 'watching':
      return sync(state.memory, 'gap');
    case 'paging':
      // Go on from the same key at a newer resourceVersion; the first page's is then where the watch has to start.
      if (continueToken !== undefined && continueToken !== '' && state.first !== undefined) {
        return { ...state, continueToken, consistent: false };
      }
      return wait(state, 'backoff', problem, sync(state.memory, state.reason));
    case 'probing':
    case 'streaming':
      return wait(state, 'backoff', problem, state);
  }
}

/** Where to go on after the connection was lost: a watch first shows that its resourceVersion still means the same. */
function proven(state: ActiveState): ActiveState {
  return state.kind === 'watching' ? { ...state, kind: 'probing' } : state;
}

/** Where to go on after a while without the server: nothing that it said before may be relied on. */
function unlapsed(state: ActiveState, slowPage: boolean): ActiveState {
  if (state.kind !== 'paging' || state.continueToken === '') return proven(state);
  // Pages of two lives of the cluster would be taken for one list.
  const anew = sync(state.memory, state.reason);
  const { limit = PAGE_LIMIT } = state;
  // Smaller pages, else a slow line would never bring the list to its end.
  return slowPage && anew.kind === 'paging' ? { ...anew, limit: Math.max(1, Math.floor(limit / 4)) } : anew;
}

function sync(memory: Memory, reason: SyncReason): ActiveState {
  return memory.streamingLists
    ? { kind: 'streaming', reason, memory }
    : { kind: 'paging', reason, continueToken: '', consistent: true, memory };
}

function nextEpoch(memory: Memory): Memory {
  return { ...memory, epoch: memory.epoch + 1 };
}

function wait(
  state: ActiveState,
  why: WaitReason,
  problem: string,
  next: ActiveState,
  retryAfterMs?: number,
): WatchState {
  const memory: Memory = { ...next.memory, failures: state.memory.failures + 1, renewed: false };
  const waiting = { kind: 'waiting', why, next: { ...next, memory } } as const;
  if (retryAfterMs === undefined) return { ...waiting, problem };
  const { waitMs, note } = patience(retryAfterMs);
  return { ...waiting, problem: `${problem}${note}`, retryAfterMs: waitMs };
}

function settled(memory: Memory): Memory {
  return memory.failures === 0 && !memory.renewed ? memory : { ...memory, failures: 0, renewed: false };
}

function renewed(memory: Memory): Memory {
  return memory.renewed ? { ...memory, renewed: false } : memory;
}

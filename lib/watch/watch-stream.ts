// One stream's watch as an async generator around the transition function: it makes the request that the state asks for,
// and hands out what arrives. Pulled by its consumer: asking for the next output says that the last one was processed,
// and only then the state moves on (promise 1).
import { backoffDelay } from '../async/backoff.ts';
import { Mk8sError, messageOf } from '../model/errors.ts';
import { createNextPage, type NextPage } from './next-page.ts';
import { openPage } from './open-page.ts';
import { openWatch } from './open-watch.ts';
import { prove } from './prove.ts';
import { type ActiveState, initialState, type WatchInput, type WatchState } from './state.ts';
import { transition } from './transition.ts';
import { createTurns, type Turns } from './turns.ts';
import type { Step, WatchContext, WatchOutput } from './watch-context.ts';

/**
 * After so long without the server, milliseconds, the cluster may have been restored. It takes longer: etcd and the API
 * servers have to be stopped, the data put back, and all of them started.
 */
const LAPSE_MS = 15_000;

/**
 * Watches until the resource is gone for good (returns) or the signal aborts (throws its reason). Everything else is
 * retried inside, as the states say. Throws what `record` throws.
 */
export async function* watchStream(context: WatchContext): AsyncGenerator<WatchOutput, void, undefined> {
  const { quota } = context.api;
  const turns = quota === undefined ? undefined : createTurns(quota);
  // Each page is a turn of its own.
  const next = turns === undefined ? createNextPage() : undefined;
  try {
    yield* watchInTurns(context, turns, next);
  } finally {
    next?.abandon();
    turns?.leave();
  }
}

/** Without `turns`, each request is made at once. */
async function* watchInTurns(
  context: WatchContext,
  turns: Turns | undefined,
  next: NextPage | undefined,
): AsyncGenerator<WatchOutput, void, undefined> {
  // A list that streams would hold one of few streams for as long as it takes.
  let state: WatchState = initialState({ ...context.position, streamingLists: turns === undefined });
  let told: WatchState['kind'] = state.kind;
  yield { kind: 'state', state };
  const { clock } = context;
  let heardAt = clock.now();
  while (state.kind !== 'ended') {
    context.signal.throwIfAborted();
    if (turns?.needs(state) === true) {
      yield { kind: 'turn', waiting: true, state };
      await turns.take(state, context.signal);
      // Nothing was connected while it waited.
      if (clock.now() - heardAt > LAPSE_MS) state = transition(state, { kind: 'lapsed' });
      yield { kind: 'turn', waiting: false, state };
      if (state.kind !== told) yield { kind: 'state', state };
      told = state.kind;
    } else await turns?.next(state, context.signal);
    const before: WatchState = state;
    if (before.kind === 'waiting') {
      state = transition(before, await pause(before, context));
    } else if (before.kind !== 'ended') {
      const askedAt = next?.expect(before, context) ?? clock.now();
      let held = false;
      for await (const { output, input } of request(before, context, turns, next)) {
        // What comes after the consumer took its time may have been sent long ago.
        // So may a page that a slow line brings: it says what was when it was asked for.
        if (!held && (output !== undefined || input?.kind === 'ended')) {
          heardAt = before.kind === 'paging' ? askedAt : clock.now();
        }
        if (output !== undefined) {
          yield output;
          held ||= clock.now() - heardAt > LAPSE_MS;
        }
        if (input === undefined) continue;
        state = transition(state, input);
        if (!goesOn(before, state)) break;
        if (state.kind !== told) yield { kind: 'state', state };
        told = state.kind;
      }
    }
    const slowPage = before.kind === 'paging' && state.kind === 'paging';
    if (clock.now() - heardAt > LAPSE_MS) state = transition(state, { kind: 'lapsed', slowPage });
    // Before the state is told: its consumer may wait for a place among those that synchronise.
    turns?.giveBack(before, state);
    if (state.kind !== told) yield { kind: 'state', state };
    told = state.kind;
  }
}

/** True where the open connection serves the new state too. */
function goesOn(before: ActiveState, after: WatchState): boolean {
  return after.kind === before.kind || (before.kind === 'streaming' && after.kind === 'watching');
}

/** Makes the request of a state. Whatever fails outside becomes an input; only an abort and the record's errors are thrown. */
async function* request(
  state: ActiveState,
  context: WatchContext,
  turns: Turns | undefined,
  next: NextPage | undefined,
): AsyncGenerator<Step, void, undefined> {
  const inside = turns?.during(state, context) ?? context;
  try {
    switch (state.kind) {
      case 'probing':
        return yield* probe(state, inside);
      case 'paging':
        return yield* openPage(state, inside, next);
      case 'streaming':
      case 'watching':
        return yield* openWatch(state, inside);
    }
  } catch (error) {
    context.signal.throwIfAborted();
    // It was connected until now, as if the server had ended it.
    if (turns?.over === true) return yield { input: { kind: 'ended', productive: true } };
    if (!(error instanceof Mk8sError) || error.code === 'storage' || error.code === 'fenced') throw error;
    yield { input: { kind: 'broken', problem: messageOf(error), denied: !error.retryable } };
  }
}

async function* probe(
  state: ActiveState & { kind: 'probing' },
  { api, collection, record, clock, signal }: WatchContext,
): AsyncGenerator<Step, void, undefined> {
  const { resourceVersion: position, memory } = state;
  const asked = { api, collection: collection(), position, epoch: memory.epoch, record, clock, signal };
  const answer = await prove({ ...asked, freshCredentials: memory.renewed });
  if ('kind' in answer) return yield { input: answer };
  const { verdict, present, from } = answer;
  yield {
    output: { kind: 'present', resourceVersion: present, verdict },
    input: { kind: 'proof', verdict, resourceVersion: from },
  };
}

async function pause(
  state: WatchState & { kind: 'waiting' },
  { policy, clock, random, signal, control }: WatchContext,
): Promise<WatchInput> {
  const { failures } = state.next.memory;
  const calm = state.why === 'denied' || state.why === 'absent';
  const own = calm ? policy.parkedMs * (0.75 + random() / 2) : backoffDelay(failures, policy.backoff, random);
  const delay = Math.max(own, state.retryAfterMs ?? 0);
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  async function woken(until: AbortSignal): Promise<WatchInput> {
    for (;;) {
      const input = await control.next(until);
      // Time that the server asked for is not cut short by what discovery sees.
      if (input.kind === 'removed' || state.why !== 'throttled') return input;
    }
  }
  try {
    return await Promise.race([
      clock.sleep(delay, either).then((): WatchInput => ({ kind: 'elapsed' })),
      woken(either),
    ]);
  } finally {
    over.abort(new Error('the wait is over'));
  }
}

// One stream's watch as an async generator around the transition function: it makes the request that the state asks for,
// and hands out what arrives. Pulled by its consumer: asking for the next output says that the last one was processed,
// and only then the state moves on (promise 1).
import { backoffDelay } from '../async/backoff.ts';
import { Mk8sError, messageOf } from '../model/errors.ts';
import type { ResourceVersion } from '../model/resource-version.ts';
import type { ScannedObject } from '../model/revision.ts';
import type { ApiServer } from '../ports/api-server.ts';
import type { Clock, Random } from '../ports/clock.ts';
import { openPage } from './open-page.ts';
import { openWatch } from './open-watch.ts';
import { prove, type Verdict } from './prove.ts';
import type { RecordReader } from './record-reader.ts';
import type { Collection } from './requests.ts';
import { type ActiveState, initialState, type SyncReason, type WatchInput, type WatchState } from './state.ts';
import { transition } from './transition.ts';

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: ScannedObject;
}

export type WatchOutput =
  /** The state changed. */
  | { readonly kind: 'state'; readonly state: WatchState }
  /** A comparison of the live set with the record begins (anew: what an earlier one saw no longer counts). */
  | { readonly kind: 'sync'; readonly reason: SyncReason; readonly epoch: number; readonly ordered: boolean }
  /** Objects of the live set. During a sync of an `ordered` record they come in ascending key order. */
  | {
      readonly kind: 'listed';
      readonly objects: readonly ScannedObject[];
      /** True where they may repeat what came before, because a page was asked for again. */
      readonly again: boolean;
    }
  /** A page ended: what is missing up to its last key was absent at `asOf`. */
  | { readonly kind: 'page'; readonly asOf: ResourceVersion }
  /** The live set is complete. What is missing was absent at `asOf`; everything up to `resourceVersion` is known. */
  | { readonly kind: 'synced'; readonly asOf: ResourceVersion; readonly resourceVersion: ResourceVersion }
  /** Live events in order; everything up to the last one's resourceVersion is known. */
  | { readonly kind: 'events'; readonly events: readonly WatchEvent[]; readonly resourceVersion: ResourceVersion }
  | { readonly kind: 'bookmark'; readonly resourceVersion: ResourceVersion }
  /** What the cluster's resourceVersion was when this run looked, and whether it follows on from ours. */
  | { readonly kind: 'present'; readonly resourceVersion: ResourceVersion; readonly verdict: Verdict }
  /** A watch lasted as long as it was asked to and ended cleanly. */
  | { readonly kind: 'lasted' };

/** What one request makes happen: something to hand out, and then the input of the transition. */
export interface Step {
  readonly output?: WatchOutput;
  readonly input?: WatchInput;
}

export interface WatchPolicy {
  /** How long a watch is asked to last. client-go takes 300 to 600 s at random. */
  timeoutSeconds(random: Random): number;
  /** Added to it for our own deadline, which catches half-open connections, in milliseconds. */
  readonly graceMs: number;
  /** A streaming list that is silent for so long will not send its end mark, in milliseconds. */
  readonly silenceMs: number;
  readonly backoff: { readonly baseMs: number; readonly maxMs: number };
  /** Between attempts while denied or absent, in milliseconds. */
  readonly parkedMs: number;
}

export const defaultWatchPolicy: WatchPolicy = {
  timeoutSeconds: (random) => 300 + Math.floor(random() * 300),
  graceMs: 15_000,
  silenceMs: 30_000,
  backoff: { baseMs: 800, maxMs: 30_000 },
  parkedMs: 30_000,
};

/** Wakes a stream from outside: discovery saw the resource (`elapsed`) or saw that it is gone (`removed`). */
export interface WatchControl {
  /** Resolves with the next such input; rejects when the signal aborts. */
  next(signal: AbortSignal): Promise<WatchInput & { kind: 'elapsed' | 'removed' }>;
}

export interface WatchContext {
  readonly api: ApiServer;
  /** Where the collection is served now; may change while the stream lives. */
  readonly collection: () => Collection;
  /** From the record: 0 as epoch where there is none. */
  readonly position: { readonly epoch: number; readonly resourceVersion?: ResourceVersion };
  readonly record: RecordReader;
  readonly control: WatchControl;
  readonly policy: WatchPolicy;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/**
 * Watches until the resource is gone for good (returns) or the signal aborts (throws its reason). Everything else is
 * retried inside, as the states say. Throws what `record` throws.
 */
export async function* watchStream(context: WatchContext): AsyncGenerator<WatchOutput, void, undefined> {
  let state: WatchState = initialState(context.position);
  yield { kind: 'state', state };
  while (state.kind !== 'ended') {
    context.signal.throwIfAborted();
    const before: WatchState = state;
    if (before.kind === 'waiting') {
      state = transition(before, await pause(before, context));
    } else {
      for await (const { output, input } of request(before, context)) {
        if (output !== undefined) yield output;
        if (input === undefined) continue;
        state = transition(state, input);
        if (!goesOn(before, state)) break;
        if (state.kind !== before.kind) yield { kind: 'state', state };
      }
    }
    if (state.kind !== before.kind) yield { kind: 'state', state };
  }
}

/** True where the open connection serves the new state too. */
function goesOn(before: ActiveState, after: WatchState): boolean {
  return after.kind === before.kind || (before.kind === 'streaming' && after.kind === 'watching');
}

/** Makes the request of a state. Whatever fails outside becomes an input; only an abort and the record's errors are thrown. */
async function* request(state: ActiveState, context: WatchContext): AsyncGenerator<Step, void, undefined> {
  try {
    switch (state.kind) {
      case 'probing':
        return yield* probe(state, context);
      case 'paging':
        return yield* openPage(state, context);
      case 'streaming':
      case 'watching':
        return yield* openWatch(state, context);
    }
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof Mk8sError) || error.code === 'storage' || error.code === 'fenced') throw error;
    yield { input: { kind: 'broken', problem: messageOf(error), denied: !error.retryable } };
  }
}

async function* probe(
  state: ActiveState & { kind: 'probing' },
  { api, collection, record, signal }: WatchContext,
): AsyncGenerator<Step, void, undefined> {
  const options = { signal, freshCredentials: state.memory.renewed };
  const answer = await prove(api, collection(), state.resourceVersion, record, options);
  if ('kind' in answer) return yield { input: answer };
  yield {
    output: { kind: 'present', resourceVersion: answer.present, verdict: answer.verdict },
    input: { kind: 'proof', verdict: answer.verdict },
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
  try {
    return await Promise.race([
      clock.sleep(delay, either).then((): WatchInput => ({ kind: 'elapsed' })),
      control.next(either),
    ]);
  } finally {
    over.abort(new Error('the wait is over'));
  }
}

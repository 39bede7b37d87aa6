// A stream behind a gateway that allows few open streams: it asks for its turn before a request, and gives it back when its
// watch ended. Outside of the state machine: whose turn it is changes nothing of what the next request has to be.
import type { Quota, QuotaTurn, TurnKind } from '../ports/quota.ts';
import type { WatchState } from './state.ts';
import type { WatchContext } from './watch-context.ts';

export interface Turns {
  /** True where a request of this state has to wait for a turn. */
  needs(state: WatchState): boolean;
  /** Waits for the turn that the state needs. */
  take(state: WatchState, signal: AbortSignal): Promise<void>;
  /** Where the turn goes on: waits for the next page's. */
  next(state: WatchState, signal: AbortSignal): Promise<void>;
  /** Gives the turn back where the next request needs none, or another one, or after a watch. */
  giveBack(before: WatchState, after: WatchState): void;
  /** The context of the request that a state asks for: how long a watch lasts, and when it has to make way. */
  during(state: WatchState, context: WatchContext): WatchContext;
  /** True where a watch had to make way. */
  readonly over: boolean;
  leave(): void;
}

export function createTurns(quota: Quota): Turns {
  const place = quota.join();
  let turn: QuotaTurn | undefined;

  function end(): void {
    turn?.end();
    turn = undefined;
  }

  return {
    needs: (state) => kindOf(state) !== undefined && turn === undefined,
    async take(state, signal) {
      turn = await place.take(kindOf(state) ?? 'watch', signal);
    },
    async next(state, signal) {
      if (state.kind === 'paging' && state.continueToken !== '') await turn?.next(signal);
    },
    giveBack(before, after) {
      if (before.kind === 'watching' || kindOf(after) !== turn?.what) end();
    },
    during(state, context) {
      const current = turn;
      if (state.kind !== 'watching' || current === undefined) return context;
      const { policy, signal } = context;
      const timeoutSeconds: typeof policy.timeoutSeconds = (random) =>
        current.watchSeconds(policy.timeoutSeconds(random));
      const either = AbortSignal.any([signal, current.over]);
      return { ...context, policy: { ...policy, timeoutSeconds }, signal: either };
    },
    get over() {
      return turn?.over.aborted === true;
    },
    leave() {
      end();
      place.leave();
    },
  };
}

/** A stream goes through a proof and its watch in one turn, and through all pages of a list. */
function kindOf(state: WatchState): TurnKind | undefined {
  switch (state.kind) {
    case 'probing':
    case 'streaming':
    case 'watching':
      return 'watch';
    case 'paging':
      return 'list';
    case 'waiting':
    case 'ended':
      return undefined;
  }
}

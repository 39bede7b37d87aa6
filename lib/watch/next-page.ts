// The next page of a list is asked for as soon as the token for it is known, while this page is still being worked off: so
// the server's time for it and ours go by together.
import type { ApiResponse } from '../ports/api-server.ts';
import { ahead, pageRequest } from './requests.ts';
import type { ActiveState } from './state.ts';
import type { WatchContext } from './watch-context.ts';

export type Paging = ActiveState & { readonly kind: 'paging' };

export interface AskedPage {
  /** Settles as the request does; ends, with its body, where the signal aborts or the page is abandoned. */
  readonly response: Promise<ApiResponse>;
  /** On the context's clock. The page tells what was true then. */
  readonly askedAt: number;
  abandon(): void;
}

/** For one watch: at most one page is asked for and not yet begun. */
export interface NextPage {
  ask(state: Paging, context: WatchContext): void;
  /** When the page of this state was asked for; undefined where it was not. Any other that was is abandoned. */
  expect(state: ActiveState, context: WatchContext): number | undefined;
  /** The page that was expected; the caller has it now. */
  take(): AskedPage | undefined;
  abandon(): void;
}

export function createNextPage(): NextPage {
  let asked: (AskedPage & { readonly question: string }) | undefined;

  function abandon(): void {
    asked?.abandon();
    asked = undefined;
  }

  return {
    ask(state, { api, collection, readAheadBytes, clock, signal }) {
      abandon();
      const request = pageRequest(collection(), state.continueToken, state.limit);
      const life = new AbortController();
      const either = AbortSignal.any([signal, life.signal]);
      const response = api.request({ ...request, ...ahead(readAheadBytes), signal: either });
      // It may fail before anybody waits for it, or nobody ever will.
      response.catch(() => undefined);
      asked = {
        question: JSON.stringify(request),
        response,
        askedAt: clock.now(),
        abandon: () => life.abort(new Error('the page is not wanted any more')),
      };
    },
    expect(state, { collection }) {
      const isWanted =
        state.kind === 'paging' &&
        !state.memory.renewed &&
        asked?.question === JSON.stringify(pageRequest(collection(), state.continueToken, state.limit));
      if (!isWanted) abandon();
      return asked?.askedAt;
    },
    take() {
      const page = asked;
      asked = undefined;
      return page;
    },
    abandon,
  };
}

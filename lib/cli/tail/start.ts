// Where a tail begins: `--from`, and what a subscription remembers.
import { parseDuration } from '../../config/duration.ts';
import { Mk8sError } from '../../model/errors.ts';
import type { Feed, SubscriptionStore } from '../../ports/feed.ts';

export type From = { readonly kind: 'beginning' | 'now' } | { readonly kind: 'time'; readonly at: number };

export interface StartRequest {
  readonly from: From | undefined;
  readonly subscription: string | undefined;
  /** Let `from` move a subscription that exists. */
  readonly rewind: boolean;
  readonly follow: boolean;
}

export interface Start {
  /** Changes after this position are shown. */
  readonly after: number;
  /** Whole sentences for people. */
  readonly notices: readonly string[];
}

/** `beginning`, `now`, an RFC 3339 time, or how long ago (`10m`). Throws Mk8sError `config`. */
export function parseFrom(text: string, now: number): From {
  if (text === 'beginning' || text === 'now') return { kind: text };
  const ago = parseDuration(text);
  if (ago !== undefined) return { kind: 'time', at: now - ago };
  // Date.parse alone takes nearly anything ("1", "May").
  const at = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d)?)?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(at)) {
    throw new Mk8sError(
      `--from: must be beginning, now, a time like 2026-11-22T17:00:00Z or how long ago like 10m, not "${text}"`,
      { code: 'config' },
    );
  }
  return { kind: 'time', at };
}

/**
 * Finds the start. A subscription that exists continues after what it acknowledged, whatever `--from` says (so that a
 * command in a restart loop does not begin anew), unless `rewind`. A new one begins at `--from`, else at the beginning,
 * and is stored at once. Without a subscription: `--from`, else now when following, else the beginning.
 */
export async function findStart(request: StartRequest, feed: Feed, subscriptions: SubscriptionStore): Promise<Start> {
  const { from, subscription, rewind, follow } = request;
  if (subscription === undefined) {
    return { after: await positionOf(from ?? { kind: follow ? 'now' : 'beginning' }, feed), notices: [] };
  }
  const known = await subscriptions.get(subscription);
  if (known === undefined) {
    const after = await positionOf(from ?? { kind: 'beginning' }, feed);
    await subscriptions.acknowledge(subscription, after);
    return { after, notices: [] };
  }
  if (rewind && from !== undefined) {
    const after = await positionOf(from, feed);
    await subscriptions.acknowledge(subscription, after, { rewind: true });
    return {
      after,
      notices: [`Subscription "${subscription}" was moved from position ${known.position} to ${after}.`],
    };
  }
  const ignored =
    from === undefined
      ? []
      : [
          `Subscription "${subscription}" exists and continues after position ${known.position}; --from is for a new one. Add --rewind to move it.`,
        ];
  return { after: known.position, notices: ignored };
}

async function positionOf(from: From, feed: Feed): Promise<number> {
  if (from.kind === 'time') return feed.positionAt(from.at);
  return from.kind === 'now' ? feed.head() : feed.tail();
}

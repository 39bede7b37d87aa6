// The tail without its terminal: changes in order to whoever shows them, and the place of a named subscription.
// At least once: a position is acknowledged only after its changes were handed over (promise 4, for readers).

import { Mk8sError } from '../../model/errors.ts';
import type { Revision } from '../../model/revision.ts';
import type { FeedPage, SubscriptionStore } from '../../ports/feed.ts';
import type { FolderForReading } from '../engine.ts';
import { type ChangesOptions, changes } from './changes.ts';
import type { ClusterNames } from './cluster-names.ts';

export interface Delivery extends ChangesOptions {
  readonly folder: Pick<FolderForReading, 'feed'> & {
    readonly subscriptions: Pick<SubscriptionStore, 'acknowledge'>;
  };
  readonly names: ClusterNames;
  /** Its place is kept under this name; undefined: not at all. */
  readonly subscription: string | undefined;
  /** Ends after so many changes; default never. */
  readonly limit?: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Hands a page over; never empty. What it resolves for may be acknowledged. */
  readonly hand: (revisions: readonly Revision[]) => Promise<unknown>;
}

// A durable write per page would cost more than reading the page; a crash repeats at most this much.
const acknowledgeEveryMs = 100;

/** Delivers until the signal aborts, the limit is reached, or (without `follow`) the end. */
export async function deliver(delivery: Delivery): Promise<void> {
  const { folder, subscription, now, hand, limit = Number.POSITIVE_INFINITY } = delivery;
  let handed = delivery.after;
  let acknowledged = delivery.after;
  let acknowledgedAt = now();
  let left = limit;

  const acknowledge = async (): Promise<void> => {
    if (subscription === undefined || handed === acknowledged) return;
    await folder.subscriptions.acknowledge(subscription, handed);
    acknowledged = handed;
    acknowledgedAt = now();
  };

  try {
    for await (const page of pages(delivery)) {
      const revisions = page.revisions.slice(0, left);
      if (revisions.length > 0) await hand(revisions);
      left -= revisions.length;
      handed = revisions.length < page.revisions.length ? (revisions.at(-1)?.position ?? handed) : page.position;
      if (left === 0) return;
      if (page.atEnd || now() - acknowledgedAt >= acknowledgeEveryMs) await acknowledge().catch(throwUnlessPassing);
    }
  } finally {
    await acknowledge();
  }
}

/** A place that cannot be kept now (a busy folder, a full disk) is kept with the next page; at the end it has to be. */
function throwUnlessPassing(error: unknown): void {
  if (!(error instanceof Mk8sError) || !error.retryable) throw error;
}

/** As `changes`; a page with a cluster whose name came to be known only now is read again: a filter may ask for it. */
async function* pages({ folder, names, ...options }: Delivery): AsyncGenerator<FeedPage> {
  let { after } = options;
  for (;;) {
    let again = false;
    for await (const page of changes(folder.feed, { ...options, after })) {
      for (const { stream } of page.revisions) names.get(stream);
      if (await names.refresh()) {
        again = true;
        break;
      }
      yield page;
      after = page.position;
    }
    if (!again) return;
  }
}

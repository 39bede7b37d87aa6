// The loop of a tail: pages of the feed in order, then waiting for more. Holds one page at a time.
import type { Feed, FeedPage } from '../../ports/feed.ts';
import type { Filter } from './where.ts';

export interface ChangesOptions {
  readonly after: number;
  /** Wait for more at the end; otherwise end there. */
  readonly follow: boolean;
  readonly filter: Filter;
  readonly signal: AbortSignal;
  /** Bytes of objects in a page; default 1 MiB. */
  readonly pageBytes?: number;
  /** Retention removed changes in (from, to] before they were read; the last state of what lives is still there. */
  readonly onMissed?: (from: number, to: number) => void;
}

/** Yields pages, also those in which the filter left nothing, because they move the position. Ends quietly on abort. */
export async function* changes(feed: Feed, options: ChangesOptions): AsyncGenerator<FeedPage> {
  const { follow, filter, signal, pageBytes = 1024 * 1024, onMissed } = options;
  let position = options.after;
  let told = 0;
  while (!signal.aborted) {
    // Who begins at the beginning reads what is there; who was further on has missed what was removed since.
    const removed = await feed.thinned();
    if (position > 0 && removed > position && removed > told) {
      onMissed?.(position, removed);
      told = removed;
    }
    position = Math.max(position, await feed.tail());
    const page = await feed.read(position, { bytes: pageBytes, wants: filter.wants, accepts: filter.accepts });
    position = page.position;
    yield page;
    if (!page.atEnd) continue;
    if (!follow) return;
    try {
      await feed.changed(position, signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
  }
}

// Reading the whole log in order: what tailing and subscriptions need.
import type { Revision } from '../model/revision.ts';
import type { StreamRef } from '../model/stream.ts';

export interface FeedPage {
  readonly revisions: readonly Revision[];
  /** Continue from here; also moves past revisions that the filter left out. */
  readonly position: number;
  /** True where nothing more was recorded yet. */
  readonly atEnd: boolean;
}

export interface Feed {
  /**
   * Revisions with position > `after`, in order, that pass the filters, within about `bytes` of objects.
   * `wants` is asked once per stream (whole frames are passed over unread), `accepts` per revision.
   */
  read(
    after: number,
    options: { bytes: number; wants?: (stream: StreamRef) => boolean; accepts?: (revision: Revision) => boolean },
  ): Promise<FeedPage>;
  /** Position of the last recorded revision, 0 for none. */
  head(): Promise<number>;
  /** Position of the oldest revision that is still there, minus one; the head where none is. */
  tail(): Promise<number>;
  /**
   * The highest position that retention removed, 0 for none. Last states of live objects stay below it: a reader behind it
   * must not skip to it. It gets the last state of every live object, but not all states in between and not all deletions.
   */
  thinned(): Promise<number>;
  /** The position after which all revisions were observed at or after this time (milliseconds since 1970). */
  positionAt(time: number): Promise<number>;
  /** Resolves when something may have been recorded after `position`; rejects when the signal aborts. */
  changed(position: number, signal: AbortSignal): Promise<void>;
}

export interface Subscription {
  readonly name: string;
  /** All revisions up to here were acknowledged. */
  readonly position: number;
  readonly updatedAt: number;
}

export interface SubscriptionStore {
  get(name: string): Promise<Subscription | undefined>;
  /** Moves a cursor, creating the subscription where needed. Durable when resolved. Never moves backwards unless `rewind`. */
  acknowledge(name: string, position: number, options?: { rewind?: boolean }): Promise<void>;
  list(): Promise<readonly Subscription[]>;
  delete(name: string): Promise<void>;
}

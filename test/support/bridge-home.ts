// Where a bridge keeps its record and who reads it, as the end-to-end cases see it: a folder with a tail, or Google's stores.
import type { Arrivals } from './arrivals.ts';
import type { StreamRow } from './feed-commands.ts';
import type { FeedEvent } from './materialise.ts';

export interface BridgeHome extends AsyncDisposable {
  /** Of `mk8s run`. */
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Who listens beside the webhook; killed and started by the test, its arrivals over all its lives. */
  readonly subscriber: {
    readonly arrivals: Arrivals;
    /** Not before something was published. */
    start(): Promise<void>;
    kill(): Promise<void>;
    /** For error messages. */
    said(): string;
  };
  /** All that is recorded, in order. */
  feed(): Promise<FeedEvent[]>;
  status(): Promise<StreamRow[]>;
}

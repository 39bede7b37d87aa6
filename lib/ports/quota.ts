// What clusters share that are reached through one gateway: so many open streams, so many requests a minute. Stages ask
// before they begin something and start their time limits afterwards, so that a wait for a turn is no silence of a server's.

export interface Quota {
  /** Whose it is, for people: `Connect Gateway of project 123456789012`. */
  readonly name: string;
  /**
   * Resolves when something may begin that makes about so many requests; first come, first served. What has begun is
   * counted and not held up. Rejects with the signal's reason.
   */
  admit(requests: number, signal: AbortSignal): Promise<void>;
  /** A stream's place among those that share the turns. As long as it has one, it counts as one that needs turns. */
  join(): QuotaPlace;
}

export interface QuotaPlace {
  /** Waits for a turn; first come, first served, and watches and lists do not wait for one another. Takes one at a time. */
  take(what: TurnKind, signal: AbortSignal): Promise<QuotaTurn>;
  /** Gives back a turn that is held, too. */
  leave(): void;
}

/** Of a watch: one open stream. Of a list: all its pages, one after the other. */
export type TurnKind = 'watch' | 'list';

export interface QuotaTurn {
  readonly what: TurnKind;
  /** How long a watch may be asked to last, seconds; as usual where there are turns for all. */
  watchSeconds(usual: number): number;
  /** Aborts where a watch that was to last as usual has to make way, because not all have a turn any more. */
  readonly over: AbortSignal;
  /** Before each page but the first: waits while the rate asks for it, and not behind all that has yet to begin. */
  next(signal: AbortSignal): Promise<void>;
  /** Safe to call twice. */
  end(): void;
}

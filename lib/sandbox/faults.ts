// How a server can be told to misbehave. State only: the server and its handlers ask here before they act.
import { setTimeout as delay } from 'node:timers/promises';
import type { WatchListMode } from './list-options.ts';

/** Requests that are answered with an error instead of being served. */
export interface Failure {
  readonly code: number;
  /** How many requests; default 1. */
  readonly times?: number;
  /** Only where the path and query contain this. */
  readonly path?: string;
  /** Seconds, for the Retry-After header. */
  readonly retryAfter?: number;
}

export class Faults {
  /** Milliseconds that each request waits before it is served. */
  delayMs = 0;
  /** Watches are answered 429 "storage is (re)initializing" until this time, and /readyz 500. */
  initializingUntil = 0;
  watchList: WatchListMode = 'on';
  #failures: { code: number; left: number; path: string; retryAfter: number | undefined }[] = [];
  #truncations = 0;
  #release: (() => void) | undefined;
  #hanging: Promise<void> | undefined;

  /** The next requests (`times`) fail. */
  fail({ code, times = 1, path = '', retryAfter }: Failure): void {
    this.#failures.push({ code, left: times, path, retryAfter });
  }

  /** The failure that this request meets, used up by asking. */
  take(url: string): { code: number; retryAfter: number | undefined } | undefined {
    const found = this.#failures.find(({ path, left }) => left > 0 && url.includes(path));
    if (found === undefined) return undefined;
    found.left--;
    this.#failures = this.#failures.filter(({ left }) => left > 0);
    return found;
  }

  /** The next pieces of open watches (`times` of them) break off in the middle, and their connections end. */
  truncate(times = 1): void {
    this.#truncations += times;
  }

  takeTruncation(): boolean {
    if (this.#truncations === 0) return false;
    this.#truncations--;
    return true;
  }

  /** Connections stay open and silent: no request is answered, no event sent, until `resume`. */
  hang(): void {
    this.#hanging ??= new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  resume(): void {
    this.#release?.();
    this.#hanging = undefined;
  }

  /** Ends all misbehaviour. */
  reset(): void {
    this.resume();
    this.delayMs = 0;
    this.initializingUntil = 0;
    this.watchList = 'on';
    this.#failures = [];
    this.#truncations = 0;
  }

  /** Waits as long as the server hangs. */
  async silence(): Promise<void> {
    while (this.#hanging !== undefined) await this.#hanging;
  }

  /** What a request waits before it is served. */
  async before(): Promise<void> {
    await this.silence();
    if (this.delayMs > 0) await delay(this.delayMs);
  }
}

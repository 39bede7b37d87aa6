// So many requests a second for each caller: a bucket each, in a table that does not grow.
import type { Clock } from '../ports/clock.ts';
import type { Rate } from './services.ts';

export interface RateLimit {
  /** Takes one; else the seconds after which there is one again. */
  take(caller: string): { readonly ok: true } | { readonly ok: false; readonly retryAfterSeconds: number };
}

/** Callers are verified, so a table of this size is only filled by as many identities. */
const MOST_CALLERS = 10_000;

interface Bucket {
  left: number;
  at: number;
}

export function createRateLimit(rate: Rate, clock: Pick<Clock, 'now'>): RateLimit {
  const buckets = new Map<string, Bucket>();
  return {
    take(caller) {
      const now = clock.now();
      const bucket = buckets.get(caller) ?? { left: rate.burst, at: now };
      // The least recently seen comes first, and is the first to be forgotten.
      buckets.delete(caller);
      const oldest = buckets.keys().next();
      if (buckets.size >= MOST_CALLERS && oldest.done !== true) buckets.delete(oldest.value);
      buckets.set(caller, bucket);
      bucket.left = refilled(rate, bucket.left, now - bucket.at);
      bucket.at = now;
      if (bucket.left >= 1) {
        bucket.left -= 1;
        return { ok: true };
      }
      return { ok: false, retryAfterSeconds: secondsUntilOne(rate, bucket.left) };
    },
  };
}

/** What is in a bucket after a while. A clock that went back adds nothing. */
export function refilled({ perSecond, burst }: Rate, left: number, elapsedMs: number): number {
  return Math.min(burst, left + (Math.max(0, elapsedMs) / 1000) * perSecond);
}

/** Whole seconds, one at least: Retry-After has no fractions. */
export function secondsUntilOne({ perSecond }: Rate, left: number): number {
  return Math.max(1, Math.ceil((1 - left) / perSecond));
}

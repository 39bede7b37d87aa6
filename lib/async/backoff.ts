// Exponential backoff with jitter.

export interface BackoffPolicy {
  /** First delay, milliseconds. */
  readonly baseMs: number;
  /** Longest delay, milliseconds. */
  readonly maxMs: number;
}

/**
 * The delay before attempt `failures` + 1, in milliseconds: base × 2^(failures − 1), at most `maxMs`, of which a random
 * half is taken off, so that many clients do not return together. `failures` counts from 1.
 */
export function backoffDelay(failures: number, policy: BackoffPolicy, random: () => number): number {
  const full = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
  return full / 2 + (full / 2) * random();
}

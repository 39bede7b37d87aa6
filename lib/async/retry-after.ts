// How far a peer is obeyed that says when to come back (Retry-After): a mistaken answer must not park a stream for ever.

/**
 * The longest that is waited before a peer is asked again, in milliseconds. kube-apiserver never asks for more than 32 s
 * (`maxRetryAfter` in its flowcontrol/dropped_requests_tracker.go); gateways that limit rates count by the minute.
 * client-go has no bound of its own for the wait, but gives a request up after ten.
 */
const LONGEST_MS = 300_000;

/** What is waited of what was asked for, milliseconds, and what to say of it: '' where that is all of it. */
export function patience(askedMs: number): { readonly waitMs: number; readonly note: string } {
  if (askedMs <= LONGEST_MS) return { waitMs: askedMs, note: '' };
  return {
    waitMs: LONGEST_MS,
    note: ` (Retry-After asks for ${Math.round(askedMs / 1000)} s; trying again after ${LONGEST_MS / 1000} s)`,
  };
}

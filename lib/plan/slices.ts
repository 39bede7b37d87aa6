// What taking turns amounts to: arithmetic that the plan shows and the quota keeps.
import type { TurnKind } from '../ports/quota.ts';

/**
 * How long a watch is asked to last where not all can be open at once, seconds. Servers send a bookmark about 2 s before
 * that; in a quiet cluster a watch of 8 s got none (docs/kubernetes.md).
 */
export const SLICE_SECONDS = 15;

/**
 * Requests that a turn usually makes. A watch after a wait of more than 15 s is first proven (lib/watch/prove.ts): a read, a
 * short watch, and then the watch itself.
 */
export const REQUESTS_PER_TURN: Readonly<Record<TurnKind, number>> = { watch: 3, list: 1 };
/** A shorter wait needs no proof, seconds (lib/watch/watch-stream.ts). */
const UNPROVEN_SECONDS = 15;

/** How streams that share a gateway come to their turn, in one process. */
export interface Slices {
  /** How many are open at a time. */
  readonly open: number;
  /** From one turn of a stream to its next, seconds; undefined where all are open all the time. */
  readonly turnSeconds?: number;
  /** How long a change waits until it is seen, seconds, without the way there and back. */
  readonly lagSeconds: { readonly mean: number; readonly most: number };
  /** Until all have had a turn, seconds: what a catch-up takes where nothing is read for longer. */
  readonly catchUpSeconds: number;
  readonly watchesPerMinute: number;
  readonly requestsPerMinute: number;
}

/** `usualSeconds`: how long a watch is asked to last where all are open, on average. */
export function sliceStreams(streams: number, places: number, usualSeconds: number): Slices {
  const catchUpSeconds = Math.ceil(streams / places) * SLICE_SECONDS;
  if (streams <= places) {
    const perMinute = (streams * 60) / usualSeconds;
    const always = { open: streams, lagSeconds: { mean: 0, most: 0 } };
    return { ...always, catchUpSeconds, watchesPerMinute: perMinute, requestsPerMinute: perMinute };
  }
  const turnSeconds = (streams / places) * SLICE_SECONDS;
  const gap = turnSeconds - SLICE_SECONDS;
  const watchesPerMinute = (places * 60) / SLICE_SECONDS;
  return {
    open: places,
    turnSeconds,
    // A change in the gap waits for half of it on average; one within the turn does not.
    lagSeconds: { mean: (gap * gap) / (2 * turnSeconds), most: gap },
    catchUpSeconds,
    watchesPerMinute,
    requestsPerMinute: watchesPerMinute * (gap > UNPROVEN_SECONDS ? REQUESTS_PER_TURN.watch : 1),
  };
}

/** So many streams can share the places and still have a turn every so many seconds. */
export function mostStreams(places: number, turnSeconds: number): number {
  return Math.floor((places * turnSeconds) / SLICE_SECONDS);
}

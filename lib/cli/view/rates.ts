// Changes per second, from what was recorded some seconds ago.

import type { RunSnapshot } from '../../compose.ts';
import { type StreamKey, streamKey } from '../../model/stream.ts';

export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly recorded: number;
  readonly byStream: ReadonlyMap<StreamKey, number>;
}

export function sampleOf(snapshot: RunSnapshot, at: number): Sample {
  const byStream = new Map(snapshot.streams.map(({ stream, recorded }) => [streamKey(stream), recorded]));
  return { at, recorded: snapshot.recorded, byStream };
}

// Long enough to smooth a workload that comes in small bursts, short enough that one sees it stop.
const windowMs = 5000;

/** Keeps samples of the last seconds; `before` is the oldest, to compare with. */
export function sampleWindow(): { add(sample: Sample): void; before(): Sample | undefined } {
  const samples: Sample[] = [];
  return {
    add(sample) {
      while (samples.length > 1 && sample.at - (samples[1]?.at ?? 0) >= windowMs) samples.shift();
      samples.push(sample);
    },
    before: () => samples[0],
  };
}

/** Per second since the sample; undefined where there is nothing to compare with. */
export function ratePerSecond(
  now: number,
  value: number,
  before: number | undefined,
  at: number | undefined,
): number | undefined {
  return before === undefined || at === undefined || now <= at
    ? undefined
    : Math.max(0, value - before) / ((now - at) / 1000);
}

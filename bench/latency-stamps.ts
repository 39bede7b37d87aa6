// What the processes of the latency benchmark agree on: a write carries its number and the time at which it was sent, on the
// clock that all processes of a machine share (CLOCK_MONOTONIC); whoever sees the change reads both out of its bytes.

export const RESOURCE = {
  group: 'bench.example.com',
  version: 'v1',
  plural: 'stamps',
  kind: 'Stamp',
  namespaced: true,
} as const;
export const NAMESPACE = 'bench';

export function objectName(n: number): string {
  return `stamp-${n}`;
}

/** Of write `n`, sent now. */
export function stamp(n: number): string {
  return `${n}@${process.hrtime.bigint()}`;
}

/** Milliseconds since each write was sent, by its number; the first sight counts. */
export class Sightings {
  readonly latencies: number[] = [];

  /** Looks for a stamp in the text of a change. */
  see(text: string): void {
    const found = /"stamp":"(\d+)@(\d+)"/.exec(text);
    if (found === null) return;
    const milliseconds = Number(process.hrtime.bigint() - BigInt(found[2] ?? 0)) / 1e6;
    this.latencies[Number(found[1])] ??= milliseconds;
  }
}

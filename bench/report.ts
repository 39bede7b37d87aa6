// What every benchmark reports: two sides of one run on the same bytes, as a ratio, with the bar it is held to.

export interface BenchRow {
  readonly what: string;
  /** Medians, in `unit`. */
  readonly ours: number;
  readonly peer: number;
  /** ours / peer. */
  readonly ratio: number;
  readonly unit: string;
  /** The ratio that is asked for, where one is. */
  readonly bar?: number;
  readonly verdict?: 'meets' | 'misses';
  /** (largest − smallest) / median of our runs, and of the peer's. */
  readonly spread: { readonly ours: number; readonly peer: number };
}

/** Compares the runs of two sides, where more is better. */
export function compareRuns(
  what: string,
  unit: string,
  runs: { readonly ours: readonly number[]; readonly peer: readonly number[] },
  bar?: number,
): BenchRow {
  const ours = median(runs.ours);
  const peer = median(runs.peer);
  const ratio = ours / peer;
  return {
    what,
    ours,
    peer,
    ratio,
    unit,
    ...(bar === undefined ? {} : { bar, verdict: ratio >= bar ? 'meets' : 'misses' }),
    spread: { ours: spread(runs.ours), peer: spread(runs.peer) },
  };
}

/** One line for people. */
export function formatRow({
  what,
  ours,
  peer,
  ratio,
  unit,
  bar,
  verdict,
  spread: { ours: a, peer: b },
}: BenchRow): string {
  const held = bar === undefined ? '' : `, bar ${bar}: ${verdict}`;
  return `${what}: ${number(ours)} (±${percent(a)}) against ${number(peer)} (±${percent(b)}) ${unit}, ratio ${ratio.toFixed(2)}${held}`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

function number(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function percent(share: number): string {
  return `${Math.round(share * 50)} %`;
}

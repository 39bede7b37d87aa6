// What every benchmark reports: the figures of our side and of a peer from one run in turn, the ratio of their medians,
// the bars they are held to, and whether they meet them.

/** What a row is held to: our median, or its ratio to the peer's. */
export interface Bar {
  readonly of: 'ours' | 'ratio';
  readonly at: 'least' | 'most';
  readonly value: number;
}

/** Bars as they are said: `bars: [atLeast(25_000), ratioAtLeast(2)]`. */
export const atLeast = (value: number): Bar => ({ of: 'ours', at: 'least', value });
export const atMost = (value: number): Bar => ({ of: 'ours', at: 'most', value });
export const ratioAtLeast = (value: number): Bar => ({ of: 'ratio', at: 'least', value });
export const ratioAtMost = (value: number): Bar => ({ of: 'ratio', at: 'most', value });

/** One side's runs, in the row's unit. */
export interface Figures {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface BenchRow {
  readonly what: string;
  readonly unit: string;
  readonly ours: Figures;
  readonly peer?: Figures & { readonly name: string };
  /** Our median / the peer's. */
  readonly ratio?: number;
  readonly bars: readonly Bar[];
  /** Whether every bar is met; absent where the row only informs. */
  readonly verdict?: 'meets' | 'misses';
}

/** What `npm run bench` gives to each benchmark. */
export interface BenchOptions {
  /** Runs of each side that count. Default 5. */
  readonly runs?: number;
  /** Where progress is told. */
  readonly log?: (line: string) => void;
}

/** What was measured, in numbers of one unit: each run of ours and, in turn, of a named peer. */
export interface Measured {
  readonly what: string;
  readonly unit: string;
  readonly ours: readonly number[];
  readonly peer?: { readonly name: string; readonly runs: readonly number[] };
  readonly bars?: readonly Bar[];
}

/** @throws RangeError where a side has no runs, or a bar needs a ratio and there is no peer. */
export function benchRow({ what, unit, ours: runs, peer, bars = [] }: Measured): BenchRow {
  const ours = figures(what, runs);
  const other = peer === undefined ? undefined : { name: peer.name, ...figures(what, peer.runs) };
  const ratio = other === undefined ? undefined : ours.median / other.median;
  const met = bars.every((bar) => {
    const value = bar.of === 'ours' ? ours.median : ratio;
    if (value === undefined) throw new RangeError(`"${what}" has a bar for a ratio, but no peer.`);
    return bar.at === 'least' ? value >= bar.value : value <= bar.value;
  });
  return {
    what,
    unit,
    ours,
    ...(other === undefined ? {} : { peer: other }),
    ...(ratio === undefined ? {} : { ratio }),
    bars,
    ...(bars.length === 0 ? {} : { verdict: met ? 'meets' : 'misses' }),
  };
}

/** One line for people, ending in the verdict where there is one. */
export function formatRow({ what, unit, ours, peer, ratio, bars, verdict }: BenchRow): string {
  return [
    `${what}: ${formatFigures(ours)} ${unit}`,
    ...(peer === undefined ? [] : [`${peer.name} ${formatFigures(peer)}`]),
    ...(ratio === undefined ? [] : [`ratio ${formatNumber(ratio)}`]),
    ...(verdict === undefined ? [] : [`bar ${bars.map(formatBar).join(' and ')}: ${verdict}`]),
  ].join(' | ');
}

/** All rows for people: those with a bar as a table of aligned columns, then those that only inform. */
export function formatTable(rows: readonly BenchRow[]): string {
  const held = rows.filter(({ verdict }) => verdict !== undefined);
  const others = rows.filter(({ verdict }) => verdict === undefined);
  return [tableOf(held), ...(others.length === 0 ? [] : ['', 'Beside them, without a bar:', tableOf(others)])].join(
    '\n',
  );
}

function tableOf(rows: readonly BenchRow[]): string {
  const cells = rows.map((row) => [
    row.what,
    formatFigures(row.ours),
    row.unit,
    row.peer === undefined ? '–' : `${formatFigures(row.peer)} ${row.peer.name}`,
    row.ratio === undefined ? '–' : formatNumber(row.ratio),
    row.bars.length === 0 ? '–' : row.bars.map(formatBar).join(' and '),
    row.verdict ?? '',
  ]);
  const lines = [['what', 'ours (min–max)', 'unit', 'peer (min–max)', 'ratio', 'bar', ''], ...cells];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length))) ?? [];
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function formatBar({ of, at, value }: Bar): string {
  return `${at === 'least' ? '≥' : '≤'} ${formatNumber(value)}${of === 'ratio' ? ' ×' : ''}`;
}

function formatFigures({ median, min, max }: Figures): string {
  return `${formatNumber(median)} (${formatNumber(min)}–${formatNumber(max)})`;
}

/** Three digits that count, at least: 0.52, 5.3, 123,475. */
function formatNumber(value: number): string {
  const maximumFractionDigits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits });
}

function figures(what: string, runs: readonly number[]): Figures {
  if (runs.length === 0) throw new RangeError(`"${what}" was not measured: no runs.`);
  const sorted = runs.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
  return { median, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

// What a soak's samples say: the summary, from samples.ndjson alone, so that it can be had again and again, also of a run
// that was cut short.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sample } from './soak-samples.ts';

/** The run.json of a soak: what it was, and what was found at its end. */
export interface SoakRun {
  readonly startedAt: string;
  readonly commit: string;
  readonly node: string;
  readonly machine: string;
  readonly servers?: 'sandbox' | 'real';
  readonly rate: number;
  readonly clusters: number;
  readonly objects: number;
  readonly faults: readonly { readonly seconds: number; readonly what: string }[];
  /** Absent while it goes on. */
  readonly end?: {
    readonly why: string;
    readonly objects: number;
    /** Sentences; empty where feed and servers agree and no promise was seen broken. */
    readonly problems: readonly string[];
  };
}

/** What a process did before this is not counted, seconds: first sync, JIT, the allocator's first growth. */
const WARM_UP_S = 900;

export function readSamples(folder: string): Sample[] {
  return readFileSync(join(folder, 'samples.ndjson'), 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Sample);
}

export function readRun(folder: string): SoakRun {
  return JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as SoakRun;
}

/** Lines of text. */
export function summarize(run: SoakRun, samples: readonly Sample[]): string[] {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return ['No sample was taken.'];
  const seconds = last.seconds - first.seconds;
  const warm = samples.filter(({ seconds: at }) => at >= Math.min(WARM_UP_S, last.seconds / 4));
  const share = (name: 'bridge' | 'tail' | 'servers' | 'soak'): string =>
    `${name} ${(((last[name].cpu - first[name].cpu) / seconds) * 100).toFixed(1)} %`;
  const memory = (name: 'bridge' | 'tail'): string => {
    const values = warm.map((sample) => sample[name].rss);
    const slope = slopePerHour(warm.map((sample) => [sample.seconds, sample[name].rss]));
    return `RSS of ${name}: ${range(values, 1)} MiB, slope ${signed(slope)} MiB/hour, peak ever ${last[name].peak} MiB`;
  };
  const heap = warm.flatMap(({ seconds: at, bridge }) =>
    bridge.heap === undefined ? [] : [[at, bridge.heap.heapUsed / 1_048_576] as const],
  );
  const lags = warm.flatMap(({ lag }) => lag ?? []);
  const quiet = (values: readonly number[]): string => `median of intervals ${median(values)} ms`;
  return [
    `Soak of ${(last.seconds / 3600).toFixed(2)} h from ${run.startedAt}, commit ${run.commit}, Node ${run.node}, ${run.machine}`,
    `Load: ${run.clusters} ${run.servers ?? 'sandbox'} clusters, ${run.objects} objects each, ${(last.written / last.seconds).toFixed(0)} changes/s written (asked for ${run.rate}); ${run.faults.length} faults`,
    `Changes: ${last.written} written, ${last.tailed} tailed, ${last.received} received by the webhook (${last.redelivered} of them again, ${last.relisted} from relists)`,
    `After ${Math.round(warm[0]?.seconds ?? 0)} s of warming up (${warm.length} samples; min / median / max):`,
    `  ${memory('bridge')}`,
    `  ${memory('tail')}`,
    `  heap used by bridge: ${range(
      heap.map(([, value]) => value),
      1,
    )} MiB, slope ${signed(slopePerHour(heap))} MiB/hour`,
    `  open files: bridge ${range(
      warm.map(({ bridge }) => bridge.fds),
      0,
    )}, tail ${range(
      warm.map(({ tail }) => tail.fds),
      0,
    )}`,
    `  data folder: ${range(
      warm.map(({ data }) => data),
      1,
    )} MiB, slope ${signed(slopePerHour(warm.map(({ seconds: at, data }) => [at, data])))} MiB/hour`,
    `  from write to tail: p50 ${quiet(lags.map(({ tail }) => tail.p50))}, p99 ${quiet(lags.map(({ tail }) => tail.p99))}; to the webhook: p50 ${quiet(lags.map(({ webhook }) => webhook.p50))}, p99 ${quiet(lags.map(({ webhook }) => webhook.p99))}`,
    `CPU, share of one core: ${share('bridge')}, ${share('tail')}, ${share('servers')}, ${share('soak')}; the machine's load was ${range(
      warm.map(({ load }) => load),
      1,
    )}`,
    ending(run),
  ];
}

function ending({ end }: SoakRun): string {
  if (end === undefined) return 'It has not ended.';
  const verdict =
    end.problems.length === 0
      ? `Both feeds, materialised, equal the servers' ${end.objects} objects one by one; order and ids held.`
      : `NOT as promised:\n${end.problems.map((problem) => `  ${problem}`).join('\n')}`;
  return `${verdict} (Ended: ${end.why}.)`;
}

/** Least squares over points of seconds and a value; per hour. */
function slopePerHour(points: readonly (readonly [number, number])[]): number {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  let above = 0;
  let below = 0;
  for (const [x, y] of points) {
    above += (x - meanX) * (y - meanY);
    below += (x - meanX) ** 2;
  }
  return below === 0 ? 0 : (above / below) * 3600;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function range(values: readonly number[], digits: number): string {
  return [Math.min(...values), median(values), Math.max(...values)].map((value) => value.toFixed(digits)).join(' / ');
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(2)}`;
}

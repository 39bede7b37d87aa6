// What the operating system says of processes and folders (Linux: /proc).
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Probe } from './soak-probe.ts';

export interface ProcessSample {
  /** MiB. */
  readonly rss: number;
  /** The highest there was, MiB. */
  readonly peak: number;
  /** Seconds since its start, user and system. */
  readonly cpu: number;
  readonly fds: number;
  readonly heap?: Probe;
}

/** One line of samples.ndjson. */
export interface Sample {
  /** Seconds since the beginning of the load. */
  readonly seconds: number;
  readonly at: string;
  readonly bridge: ProcessSample;
  readonly tail: ProcessSample;
  readonly servers: ProcessSample;
  readonly soak: ProcessSample;
  /** MiB of the data folder. */
  readonly data: number;
  /** Since the beginning: written to the servers, seen by tail, received by the webhook. */
  readonly written: number;
  readonly tailed: number;
  readonly received: number;
  readonly redelivered: number;
  readonly relisted: number;
  /** Milliseconds from write to arrival in this interval; absent where nothing came. */
  readonly lag?: { readonly tail: Lag; readonly webhook: Lag };
  /** The machine's load average, one minute. */
  readonly load: number;
}

export interface Lag {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Clock ticks a second in /proc/PID/stat; 100 on every Linux that Node runs on (sysconf(_SC_CLK_TCK)). */
const TICKS = 100;

/** Throws where the process has ended. */
export function sampleProcess(pid: number, heap?: Probe): ProcessSample {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command's name may hold spaces: fields are counted after its closing bracket; 14 and 15 are utime and stime.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    rss: round(kilobytes('VmRSS') / 1024),
    peak: round(kilobytes('VmHWM') / 1024),
    cpu: (Number(fields[11]) + Number(fields[12])) / TICKS,
    fds: readdirSync(`/proc/${pid}/fd`).length,
    ...(heap === undefined ? {} : { heap }),
  };
}

/** MiB of all files in it. */
export function folderSize(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const stats = lstatSync(join(folder, entry), { throwIfNoEntry: false });
    if (stats?.isFile()) bytes += stats.size;
  }
  return round(bytes / 1_048_576);
}

export function lagOf(lags: readonly number[]): Lag {
  const sorted = lags.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

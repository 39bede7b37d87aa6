// Where figures were measured, and how quiet it was there: versions, the load before and after, and how long a fixed
// piece of work took between the benchmarks. A ratio holds on a busy machine where an absolute figure may not.
import { createRequire } from 'node:module';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';

export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGB: number;
  readonly kernel: string;
  readonly node: string;
  readonly sqlite: string;
  readonly clientNode: string;
}

export interface Noise {
  /** Load averages over one minute. */
  readonly loadBefore: number;
  readonly loadAfter: number;
  /** Milliseconds of the fixed work: the best, the median, the worst. On a quiet machine they are the same. */
  readonly work: { readonly best: number; readonly median: number; readonly worst: number };
}

export function describeMachine(): Machine {
  const { version } = createRequire(import.meta.url)('@kubernetes/client-node/package.json') as { version: string };
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    memoryGB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    sqlite: process.versions.sqlite ?? 'unknown',
    clientNode: version,
  };
}

export function formatMachine({ cores, processor, memoryGB, kernel, node, sqlite, clientNode }: Machine): string {
  const versions = `Linux ${kernel}, Node ${node}, SQLite ${sqlite}, @kubernetes/client-node ${clientNode}`;
  return `${cores} cores (${processor}), ${memoryGB} GB, ${versions}`;
}

export function formatNoise({ loadBefore, loadAfter, work: { best, median, worst } }: Noise): string {
  const slower = (value: number): string => `${Math.round((value / best - 1) * 100)} %`;
  return `load ${loadBefore.toFixed(1)} before, ${loadAfter.toFixed(1)} after; a fixed piece of work took ${best.toFixed(0)} ms at best, ${slower(median)} more in the median, ${slower(worst)} more at worst`;
}

/** Listens to the machine: `sample` between benchmarks, `read` at the end. */
export function startNoise(): { sample: () => void; read: () => Noise } {
  const loadBefore = loadavg()[0] ?? 0;
  const times: number[] = [];
  // The first turns are compiled while they run; they do not count.
  for (let warm = 0; warm < 3; warm++) fixedWork();
  return {
    sample() {
      for (let n = 0; n < 5; n++) times.push(fixedWork());
    },
    read() {
      const sorted = times.toSorted((a, b) => a - b);
      const at = (index: number): number => sorted[index] ?? 0;
      return {
        loadBefore,
        loadAfter: loadavg()[0] ?? 0,
        work: { best: at(0), median: at(sorted.length >> 1), worst: at(sorted.length - 1) },
      };
    },
  };
}

/** Milliseconds for the same arithmetic every time: some tens on a processor of 2026, longer than a scheduler's slice. */
function fixedWork(): number {
  const before = performance.now();
  let hash = 2_166_136_261;
  for (let n = 0; n < 30_000_000; n++) hash = Math.imul(hash ^ (n & 255), 16_777_619);
  // Looks at the result, so that no compiler leaves the work out.
  if (hash === 0) throw new Error('The fixed work came out wrong.');
  return performance.now() - before;
}

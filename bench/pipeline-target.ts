// What the parent and a side of the pipeline benchmark tell each other.

export interface PipelineTask {
  /** `http://127.0.0.1:PORT` or https. */
  readonly url: string;
  /** Who signed the server's certificate, as PEM, for https. */
  readonly ca: string | undefined;
  /** Where to keep what is recorded: a new folder. */
  readonly folder: string;
  /** Events before time counts: compilers, caches, the first pages of the database. */
  readonly warmUp: number;
  /** Events that count, after those. */
  readonly events: number;
}

export interface PipelineResult {
  readonly wallSeconds: number;
  /** User and system time of the process, all its threads. */
  readonly cpuSeconds: number;
  /** Events acknowledged, the warm-up's included. */
  readonly seen: number;
  /** Bytes. */
  readonly peakMemory: number;
  /** How many transactions made the counted events durable. */
  readonly commits: number;
}

/** Makes this process a side: it does the one task that its parent sends, answers and ends. */
export function runTask(work: (task: PipelineTask) => Promise<PipelineResult>): void {
  process.once('message', (task: PipelineTask) => {
    work(task).then(
      (result) => process.send?.(result, () => process.exit(0)),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
        process.exit(1);
      },
    );
  });
}

/** Counts from the event after the warm-up to the last one. */
export function startMeter({ warmUp, events }: PipelineTask): {
  /** So many are durable and acknowledged now; true at the end. */
  reached: (total: number) => boolean;
  committed: () => void;
  read: () => PipelineResult;
} {
  let begun: { at: number; seen: number; cpu: NodeJS.CpuUsage } | undefined;
  let result: PipelineResult | undefined;
  let commits = 0;
  return {
    committed() {
      if (begun !== undefined) commits += 1;
    },
    reached(total) {
      if (begun === undefined && total >= warmUp)
        begun = { at: performance.now(), seen: total, cpu: process.cpuUsage() };
      if (begun === undefined || total < warmUp + events || result !== undefined) return result !== undefined;
      // The warm-up's last batch reached over it: the rest counts as a share.
      const share = events / (total - begun.seen);
      const { user, system } = process.cpuUsage(begun.cpu);
      result = {
        wallSeconds: ((performance.now() - begun.at) / 1000) * share,
        cpuSeconds: ((user + system) / 1e6) * share,
        seen: total,
        peakMemory: process.resourceUsage().maxRSS * 1024,
        commits,
      };
      return true;
    },
    read() {
      if (result === undefined) throw new Error('The last event was not reached.');
      return result;
    },
  };
}

import type { Problem } from '../model/cluster.ts';
import type { StreamStatus } from '../model/stream-status.ts';

/** A snapshot of a run, for `mk8s status` in another process. Losing it loses nothing. */
export interface RunStatus {
  /** Holder description, e.g. `host, pid 4711`. */
  readonly run: string;
  readonly startedAt: number;
  readonly updatedAt: number;
  /** False once the run ended in order. */
  readonly running: boolean;
  readonly problems: readonly Problem[];
}

export interface StatusStore {
  /** Replaces the rows of these streams and the run's row. */
  write(run: RunStatus, streams: readonly StreamStatus[]): Promise<void>;
  read(): Promise<{ run: RunStatus | undefined; streams: readonly StreamStatus[] }>;
}

// What a run did, when it is over.
import type { BridgeResult } from '../bridge/bridge.ts';
import type { Tally } from '../bridge/tally.ts';
import type { Config } from '../config/options.ts';
import { formatGroupResource } from '../model/resource.ts';
import type { StreamStatus } from '../model/stream-status.ts';

export interface RunSummary {
  /** 0; 1 where something is left to publish or a sink is gone; 5 where a catch-up did not reach the present. */
  readonly exitCode: number;
  readonly clusters: number;
  readonly streams: number;
  readonly recorded: { readonly add: number; readonly update: number; readonly delete: number };
  readonly published: number;
  /** Recorded ones that had happened before the run began. */
  readonly caughtUp: number;
  /** Streams that resumed from where an earlier run had come, without listing. */
  readonly resumed: number;
  /** Recorded by an earlier run and published by this one. */
  readonly replayed: number;
  /** Times that a stream was compared anew in this run because its watch was lost to 410 or a restore. */
  readonly gaps: number;
  /** How long ago the stream that is furthest behind held its cluster's present, milliseconds; those that never did do not count. */
  readonly maxLagMs: number;
  /** Streams that never held their cluster's present. */
  readonly neverCurrent: number;
  /** False where streams were to be followed, and none reached its cluster's present, recorded or published anything. */
  readonly progressed: boolean;
  readonly durationMs: number;
  /** Whole sentences. */
  readonly failures: readonly string[];
}

export function summarize(
  result: BridgeResult,
  run: {
    readonly mode: Config['mode'];
    readonly streams: readonly StreamStatus[];
    readonly tally: Tally;
    readonly startedAt: number;
    readonly now: number;
    /** The deadline ended it. */
    readonly late: boolean;
    /** Why it could not go on, where something ended it. */
    readonly broken: string | undefined;
  },
): RunSummary {
  const { mode, streams, tally } = run;
  const behind = streams.filter((row) => row.published < row.recorded);
  const failures = [
    ...(run.broken === undefined ? [] : [run.broken]),
    ...result.unreached.map(({ name, error }) => `Cluster "${name}" was not reached: ${error}`),
    ...result.outcomes.flatMap((outcome) => unfinished(outcome, mode)),
    ...behind.map(unpublished),
  ];
  const { startedAt, now } = run;
  const recorded = tally.recorded.add + tally.recorded.update + tally.recorded.delete;
  const current = streams.filter((row) => row.currentAt > 0);
  const reachedPresent = streams.some((row) => row.currentAt >= startedAt);
  const incomplete = mode === 'catch-up' && (run.late || failures.length > 0);
  return {
    exitCode: incomplete ? 5 : run.broken !== undefined || behind.length > 0 ? 1 : 0,
    clusters: result.reached,
    streams: streams.length,
    recorded: { ...tally.recorded },
    published: tally.published,
    caughtUp: tally.caughtUp,
    resumed: tally.resumed,
    replayed: tally.replayed,
    gaps: tally.gaps,
    maxLagMs: current.reduce((most, row) => Math.max(most, now - row.currentAt), 0),
    neverCurrent: streams.length - current.length,
    progressed: streams.length === 0 || reachedPresent || recorded + tally.published > 0,
    durationMs: now - startedAt,
    failures,
  };
}

function unfinished({ stream, end, failure }: BridgeResult['outcomes'][number], mode: Config['mode']): string[] {
  const resource = formatGroupResource(stream);
  if (end === 'failed') return [`${resource}: ${failure}`];
  if (end === 'held') return [`${resource} is followed by another run`];
  return end === 'stopped' && mode === 'catch-up' ? [`${resource} did not reach its cluster's present`] : [];
}

function unpublished({ stream, clusterName, recorded, published }: StreamStatus): string {
  const resource = formatGroupResource(stream);
  return `${recorded - published} recorded changes of ${resource} in cluster "${clusterName}" are not published yet; the next run does it`;
}

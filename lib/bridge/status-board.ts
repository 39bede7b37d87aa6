// What is known of each stream's progress right now: for the terminal, for `mk8s status`, and for the end's summary.
import { type StreamKey, type StreamRef, streamKey } from '../model/stream.ts';
import type { StreamState, StreamStatus } from '../model/stream-status.ts';
import type { StatusStore } from '../ports/status-store.ts';

/** A stream's row, changed in place by the stages that know. Times in milliseconds since 1970. */
export interface StatusRow {
  readonly stream: StreamRef;
  /** As it is named now: a cluster may be found under another name. */
  clusterName: string;
  state: StreamState;
  epoch: number;
  resourceVersion: string;
  recorded: number;
  published: number;
  objects: number;
  synced: { done: number; total?: number } | undefined;
  /** When the watch last held the cluster's present. */
  watchedAt: number;
  /** When the oldest revision that is recorded but not published was observed, 0 for none. */
  waitingSince: number;
  lastBookmarkAt: number;
  gaps: number;
  lastGapAt: number;
  watchProblem: string | undefined;
  storeProblem: string | undefined;
  sinkProblem: string | undefined;
  /** `sinkProblem` lasts until somebody changes something. */
  sinkBlocked: boolean;
  errorAt: number;
}

export interface StatusBoard {
  /** The stream's row, made where there is none. */
  row(stream: StreamRef, clusterName: string): StatusRow;
  /** Streams on the board. */
  readonly size: number;
  snapshot(now: number): readonly StreamStatus[];
  /** Takes over what an earlier run counted (gaps) of streams that this one follows too. */
  restore(store: StatusStore): Promise<void>;
}

export function createStatusBoard(): StatusBoard {
  const rows = new Map<StreamKey, StatusRow>();
  let earlier: ReadonlyMap<StreamKey, StreamStatus> = new Map();

  function row(stream: StreamRef, clusterName: string): StatusRow {
    const key = streamKey(stream);
    const known = rows.get(key);
    if (known !== undefined) {
      known.clusterName = clusterName;
      return known;
    }
    const made: StatusRow = {
      stream,
      clusterName,
      state: 'starting',
      epoch: 0,
      resourceVersion: '',
      recorded: 0,
      published: 0,
      objects: 0,
      synced: undefined,
      watchedAt: earlier.get(key)?.currentAt ?? 0,
      waitingSince: 0,
      lastBookmarkAt: earlier.get(key)?.lastBookmarkAt ?? 0,
      gaps: earlier.get(key)?.gaps ?? 0,
      lastGapAt: earlier.get(key)?.lastGapAt ?? 0,
      watchProblem: undefined,
      storeProblem: undefined,
      sinkProblem: undefined,
      sinkBlocked: false,
      errorAt: 0,
    };
    rows.set(key, made);
    return made;
  }

  return {
    row,
    async restore(store) {
      earlier = new Map((await store.read()).streams.map((status) => [streamKey(status.stream), status]));
    },
    get size() {
      return rows.size;
    },
    snapshot: (now) => [...rows.values()].map((each) => statusOf(each, now)),
  };
}

function statusOf(row: StatusRow, now: number): StreamStatus {
  const held = row.state === 'watching' ? now : row.watchedAt;
  const error = row.storeProblem ?? row.watchProblem ?? row.sinkProblem;
  return {
    stream: row.stream,
    clusterName: row.clusterName,
    state: row.sinkBlocked && row.state === 'watching' ? 'blocked' : row.state,
    epoch: row.epoch,
    resourceVersion: row.resourceVersion,
    recorded: row.recorded,
    published: row.published,
    objects: row.objects,
    ...(row.synced === undefined ? {} : { synced: row.synced }),
    currentAt: row.waitingSince === 0 ? held : Math.min(held, row.waitingSince),
    lastBookmarkAt: row.lastBookmarkAt,
    gaps: row.gaps,
    lastGapAt: row.lastGapAt,
    ...(error === undefined ? {} : { error, errorAt: row.errorAt }),
    updatedAt: now,
  };
}

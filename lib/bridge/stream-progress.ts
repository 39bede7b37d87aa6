// Turns what a watch hands out into its status row and into sentences for the operator (promise 10).
import { formatGroupResource } from '../model/resource.ts';
import { compareResourceVersions, type ResourceVersion } from '../model/resource-version.ts';
import type { Revision } from '../model/revision.ts';
import type { StreamState } from '../model/stream-status.ts';
import type { RevisionLog } from '../ports/revision-log.ts';
import type { WatchState } from '../watch/state.ts';
import type { WatchOutput } from '../watch/watch-context.ts';
import type { StatusRow } from './status-board.ts';
import type { StreamEnd, StreamServices, StreamTask } from './stream-task.ts';
import type { Tally } from './tally.ts';

const reasons = {
  gap: 'resourceVersion expired (410): comparing the cluster with the record',
  restored: 'the cluster was restored to an older state: a new epoch begins, comparing it with the record',
  unproven: 'what happened meanwhile cannot be told from the newest objects: comparing the cluster with the record',
} as const;

export function trackOutput(
  row: StatusRow,
  output: WatchOutput,
  { services, task }: { services: StreamServices; task: StreamTask },
): void {
  const now = services.clock.now();
  switch (output.kind) {
    case 'state':
      return trackState(row, output.state, { services, task });
    case 'sync': {
      row.epoch = output.epoch;
      row.synced = { done: 0, ...(row.objects > 0 ? { total: row.objects } : {}) };
      if (output.reason === 'first') return;
      const gaps = output.reason === 'unproven' ? 0 : 1;
      row.gaps += gaps;
      services.tally.gaps += gaps;
      row.lastGapAt = now;
      // A stream that takes turns has to be proven at each of them.
      const everyday = task.api.quota === undefined ? 'INFO' : 'DEBUG';
      const severity = output.reason === 'unproven' ? everyday : 'WARNING';
      return say({ services, task }, severity, reasons[output.reason]);
    }
    case 'listed': {
      if (row.synced !== undefined) row.synced = { ...row.synced, done: row.synced.done + output.objects.length };
      return;
    }
    case 'synced':
      row.synced = undefined;
      return;
    case 'bookmark':
      row.lastBookmarkAt = now;
      return;
    case 'turn':
      if (row.state === 'watching') row.watchedAt = now;
      row.state = output.waiting ? 'queued' : stateWord(output.state);
      return;
    case 'page':
    case 'events':
    case 'present':
    case 'lasted':
      return;
  }
}

/** Revisions were recorded. `present`: what the cluster's resourceVersion was when this run looked, where that is known. */
export function trackRecorded(
  row: StatusRow,
  tally: Tally,
  revisions: readonly Revision[],
  present: ResourceVersion | undefined,
): void {
  for (const { type, origin, resourceVersion, sequence, observedAt, previous } of revisions) {
    tally.recorded[type] += 1;
    // Pages of a list that are not of one moment: what went before a list came to it was never recorded as living, and what
    // changed is first told as an update.
    if (type === 'delete' && previous > 0) row.objects -= 1;
    if (type === 'add' || (type === 'update' && previous === 0)) row.objects += 1;
    const missed = present !== undefined && compareResourceVersions(resourceVersion, present) <= 0;
    if (origin === 'relist' || (missed && origin === 'watch')) tally.caughtUp += 1;
    row.recorded = sequence;
    if (row.waitingSince === 0) row.waitingSince = observedAt;
  }
}

/**
 * Counts the objects anew after a list in pages. Where those were not of one moment, an object that was made anew between two
 * is recorded as gone first and told of by its changes then, which looks like the change of one that is counted. All such
 * changes have come once a watch has lasted; until then it asks at each bookmark.
 */
export function createRecount(
  row: StatusRow,
  log: Pick<RevisionLog, 'position'>,
): (output: WatchOutput) => Promise<void> {
  let unsure = false;
  return async ({ kind }) => {
    if (kind === 'page') unsure = true;
    if (!unsure || (kind !== 'bookmark' && kind !== 'lasted')) return;
    row.objects = (await log.position(row.stream)).objects;
    unsure = kind === 'bookmark';
  };
}

/** The stream is not followed any more. */
export function trackEnd(row: StatusRow, end: StreamEnd | 'failed', now: number): void {
  if (row.state === 'watching' || end === 'caught-up') row.watchedAt = now;
  row.state = end === 'ended' ? 'ended' : 'stopped';
}

function trackState(row: StatusRow, state: WatchState, context: { services: StreamServices; task: StreamTask }): void {
  const now = context.services.clock.now();
  if (row.state === 'watching') row.watchedAt = now;
  row.state = stateWord(state);
  if (state.kind !== 'waiting') {
    if (state.kind === 'watching' || state.kind === 'ended') trackProblem(row, 'watchProblem', undefined, now);
    return;
  }
  const repeated = row.watchProblem === state.problem;
  trackProblem(row, 'watchProblem', state.problem, now);
  // The first retry after a broken connection is everyday life; what lasts is said once.
  const everyday = state.why === 'backoff' && state.next.memory.failures < 2;
  if (!repeated) say(context, everyday ? 'DEBUG' : 'WARNING', `${state.problem}; ${consequence(state)}`);
}

function stateWord(state: WatchState): StreamState {
  switch (state.kind) {
    case 'probing':
      return 'starting';
    case 'streaming':
    case 'paging':
      return 'syncing';
    case 'watching':
      return 'watching';
    case 'waiting':
      return state.why === 'denied' || state.why === 'absent' ? 'parked' : 'retrying';
    case 'ended':
      return 'ended';
  }
}

function consequence(state: WatchState & { kind: 'waiting' }): string {
  switch (state.why) {
    case 'backoff':
      return 'trying again';
    case 'throttled':
      return 'waiting as the server asked';
    case 'denied':
      return 'parked, trying again slowly; allow get, list and watch on it, or exclude it with --exclude-resources';
    case 'absent':
      return 'parked until discovery sees it again';
  }
}

export function trackProblem(
  row: StatusRow,
  where: 'watchProblem' | 'storeProblem' | 'sinkProblem',
  problem: string | undefined,
  now: number,
): void {
  row[where] = problem;
  if (problem !== undefined) row.errorAt = now;
}

/** Shows a problem of the folder or of a sink (undefined: it works again), and says it once. */
export function reportProblem(
  task: StreamTask,
  { report, clock }: StreamServices,
  row: StatusRow,
  where: 'sinkProblem' | 'storeProblem',
  problem: string | undefined,
): void {
  const repeated = row[where] === problem;
  trackProblem(row, where, problem, clock.now());
  if (repeated) return;
  const resource = formatGroupResource(task.stream);
  const message = problem ?? `${where === 'sinkProblem' ? 'Publishing' : 'Recording'} ${resource} works again`;
  report({ severity: problem === undefined ? 'INFO' : 'WARNING', message, cluster: task.clusterName, resource });
}

function say(
  { services, task }: { services: StreamServices; task: StreamTask },
  severity: 'DEBUG' | 'INFO' | 'WARNING',
  what: string,
): void {
  const resource = formatGroupResource(task.stream);
  const message = `Watching ${resource} in cluster "${task.clusterName}": ${what}`;
  services.report({ severity, message, cluster: task.clusterName, resource });
}

// One stream from its lease to its checkpoint: the pipeline on one page. Recording and publishing run side by side, joined
// by the log.
import { backoffDelay } from '../async/backoff.ts';
import { redactor } from '../history/redact.ts';
import { Mk8sError, messageOf } from '../model/errors.ts';
import { formatGroupResource } from '../model/resource.ts';
import { compareResourceVersions, type ResourceVersion } from '../model/resource-version.ts';
import { streamKey } from '../model/stream.ts';
import type { LogPosition } from '../ports/revision-log.ts';
import type { WatchState } from '../watch/state.ts';
import type { WatchContext, WatchOutput } from '../watch/watch-context.ts';
import { watchStream } from '../watch/watch-stream.ts';
import type { HeldLease } from './lease-keeper.ts';
import { createPublisher, type Publisher } from './publisher.ts';
import { createRecorder, recordReader } from './recorder.ts';
import type { StatusRow } from './status-board.ts';
import { trackEnd, trackOutput, trackProblem, trackRecorded } from './stream-progress.ts';
import type { StreamEnd, StreamServices, StreamTask } from './stream-task.ts';

/** Failures in a row after which a catch-up gives a stream up: about 20 s of backoff. */
const MOST_FAILURES = 6;
/** While there is no room to begin with. */
const CLAIM_RETRY = { baseMs: 1000, maxMs: 15_000 };
/** Per stream: less than a TLS record's worth of events makes batches of one, more than 1 MiB makes nothing faster. */
const READ_AHEAD = { least: 32 * 1024, most: 1024 * 1024 };

/** Runs one stream until it ends. Throws Mk8sError `fenced` or `storage` where it cannot go on. */
export async function runStream(task: StreamTask, services: StreamServices): Promise<StreamEnd> {
  const row = services.board.row(task.stream, task.clusterName);
  const lease = await services.leases.acquire(`stream/${streamKey(task.stream)}`);
  if ('holder' in lease) {
    row.state = 'parked';
    trackProblem(row, 'watchProblem', `followed by another run: ${lease.holder.description}`, services.clock.now());
    return 'held';
  }
  try {
    return await runOwned(task, services, lease, row);
  } finally {
    await lease.release().catch((error: unknown) => {
      services.report({ severity: 'WARNING', message: `Cannot release a lease: ${messageOf(error)}; it will expire` });
    });
  }
}

async function runOwned(
  task: StreamTask,
  services: StreamServices,
  lease: HeldLease,
  row: StatusRow,
): Promise<StreamEnd> {
  const { checkpoints, clock } = services;
  const position = await claim(task, services, lease, row);
  if (position === undefined) return 'stopped';
  const checkpoint = await checkpoints.get(task.stream);
  Object.assign(row, {
    epoch: position.epoch,
    recorded: position.sequence,
    published: checkpoint?.published ?? 0,
    objects: position.objects,
    resourceVersion: checkpoint?.resourceVersion ?? '',
    storeProblem: undefined,
    sinkProblem: undefined,
    sinkBlocked: false,
  });
  if (position.resourceVersion !== undefined) services.tally.resumed += 1;

  const halt = new AbortController();
  const failed = new AbortController();
  const publisher = createPublisher({
    ...services,
    stream: task.stream,
    fence: lease.fence,
    epoch: Math.max(1, position.epoch),
    checkpoint,
    recorded: position,
    onProgress({ published, resourceVersion }) {
      const count = Math.max(0, published - row.published);
      services.tally.published += count;
      services.tally.replayed += Math.max(0, Math.min(published, position.sequence) - row.published);
      row.published = Math.max(row.published, published);
      if (resourceVersion !== undefined) row.resourceVersion = resourceVersion;
      if (row.published >= row.recorded) row.waitingSince = 0;
    },
    onProblem(problem, blocked) {
      row.sinkBlocked = blocked;
      reportProblem(task, services, row, 'sinkProblem', problem);
      // A catch-up does not wait for what only somebody else can change; what is recorded stays for the next one.
      if (blocked && services.mode === 'catch-up') failed.abort(new Mk8sError(problem ?? '', { code: 'config' }));
    },
  });
  const publishing = publisher.run(AbortSignal.any([task.giveUp, lease.lost, halt.signal]));
  publishing.catch((error: unknown) => failed.abort(error));
  try {
    const end = await follow(task, services, { lease, row, position, publisher, failed: failed.signal });
    await publisher.drained(AbortSignal.any([task.giveUp, lease.lost, failed.signal])).catch((error: unknown) => {
      if (!task.giveUp.aborted) throw error;
    });
    trackEnd(row, end, clock.now());
    return end;
  } catch (error) {
    trackProblem(row, 'watchProblem', messageOf(error), clock.now());
    trackEnd(row, 'failed', clock.now());
    throw error;
  } finally {
    halt.abort(new Error('the stream ended'));
    await publishing.catch(() => undefined);
  }
}

/**
 * Where the stream stands. From then on nothing that an earlier owner still writes is taken: what it recorded before is in
 * the position. Waits while there is no room; undefined where told to stop meanwhile.
 */
async function claim(
  task: StreamTask,
  services: StreamServices,
  lease: HeldLease,
  row: StatusRow,
): Promise<LogPosition | undefined> {
  const { log, clock, random } = services;
  for (let failures = 1; ; failures += 1) {
    try {
      const { epoch } = await log.position(task.stream);
      await log.append(task.stream, { fence: lease.fence, epoch, changes: [] });
      if (failures > 1) reportProblem(task, services, row, 'storeProblem', undefined);
      return await log.position(task.stream);
    } catch (error) {
      if (!(error instanceof Mk8sError) || error.code !== 'full') throw error;
      reportProblem(task, services, row, 'storeProblem', messageOf(error));
    }
    const until = AbortSignal.any([task.stop, lease.lost]);
    try {
      await clock.sleep(backoffDelay(failures, CLAIM_RETRY, random), until);
    } catch (error) {
      if (!task.stop.aborted) throw error;
      return undefined;
    }
  }
}

/** Watches and records until told to stop, the end of the resource, or (catch-up) the cluster's present. */
async function follow(
  task: StreamTask,
  services: StreamServices,
  own: { lease: HeldLease; row: StatusRow; position: LogPosition; publisher: Publisher; failed: AbortSignal },
): Promise<StreamEnd> {
  const { log, clock, random, policy } = services;
  const { lease, row, position, publisher, failed } = own;
  const signal = AbortSignal.any([task.stop, lease.lost, failed]);
  let present: ResourceVersion | undefined;

  const redact = redactor(services.redact, task.stream);
  const recorder = createRecorder({
    ...services,
    stream: task.stream,
    fence: lease.fence,
    position: { ...position, epoch: Math.max(1, position.epoch) },
    redact,
    signal: AbortSignal.any([task.giveUp, lease.lost]),
    onRecorded(revisions, reached) {
      trackRecorded(row, services.tally, revisions, present);
      publisher.offer(revisions, reached);
    },
    onEpoch(epoch) {
      row.epoch = epoch;
      publisher.beginEpoch(epoch);
    },
    onProblem: (problem) => reportProblem(task, services, row, 'storeProblem', problem),
  });

  /** True where the record holds what was the cluster's present when this run looked. */
  function reachedPresent(output: WatchOutput): boolean {
    // Where our resourceVersions no longer count, a comparison follows, and its end is what counts.
    if (output.kind === 'present') present = output.verdict === 'same' ? output.resourceVersion : undefined;
    if (output.kind === 'synced' || output.kind === 'lasted') return true;
    const { resourceVersion } = recorder;
    return (
      present !== undefined && resourceVersion !== undefined && compareResourceVersions(resourceVersion, present) >= 0
    );
  }

  if (task.gone) {
    await recorder.end();
    return 'ended';
  }
  const record = recordReader(log, task.stream, { sparse: services.ignoreNoop, redact });
  const readAheadBytes = (): number => readAheadShare(services);

  /** One watch, until it ends, or until the cluster turns out to be restored: then another follows, in the next epoch. */
  async function watchFrom(start: WatchContext['position']): Promise<StreamEnd | 'restored'> {
    const restores = task.restores.join();
    const inside = AbortSignal.any([signal, restores.signal]);
    const slot = syncSlot(services, inside);
    // In a comparison after a restore nobody has to say that there was one.
    if (start.reason === 'restored') restores.leave();
    try {
      const context = { ...task, readAheadBytes, position: start, record, policy, clock, random, signal: inside };
      for await (const output of watchStream(context)) {
        await slot.take(output);
        if (output.kind === 'present' && output.verdict === 'restored') restores.notice();
        if ((await recorder.take(output)) === 'went back') {
          restores.notice();
          return 'restored';
        }
        trackOutput(row, output, { services, task });
        const reached = reachedPresent(output);
        if (services.mode === 'follow') continue;
        if (reached) return 'caught-up';
        if (output.kind === 'state') throwIfHopeless(output.state);
      }
      await recorder.end();
      return 'ended';
    } catch (error) {
      if (restores.signal.aborted && !signal.aborted) return 'restored';
      throw error;
    } finally {
      restores.leave();
      slot.release();
    }
  }

  try {
    let start: WatchContext['position'] = position;
    for (;;) {
      const end = await watchFrom(start);
      if (end !== 'restored') return end;
      start = { epoch: recorder.epoch + 1, reason: 'restored' };
    }
  } catch (error) {
    if (task.stop.aborted && !lease.lost.aborted && !failed.aborted) return 'stopped';
    throw lease.lost.aborted ? lease.lost.reason : failed.aborted ? failed.reason : error;
  }
}

/** A catch-up does not wait for what only somebody else can change, nor for ever for a server. */
function throwIfHopeless(state: WatchState): void {
  if (state.kind !== 'waiting') return;
  const patient = state.why === 'throttled' || state.why === 'backoff';
  if (patient && state.next.memory.failures < MOST_FAILURES) return;
  throw new Mk8sError(state.problem, { code: 'http', retryable: true });
}

/** Half the budget is for what is read ahead of recording, shared by all streams; the other half waits for sinks. */
function readAheadShare({ budget, board }: StreamServices): number {
  return Math.round(Math.min(READ_AHEAD.most, Math.max(READ_AHEAD.least, budget.limit / 2 / Math.max(1, board.size))));
}

/** Keeps the number of syncs that go on at once bounded: each has bytes in flight, here and in the API server. */
function syncSlot(
  { syncs }: StreamServices,
  signal: AbortSignal,
): { take(output: WatchOutput): Promise<void>; release(): void } {
  let release: (() => void) | undefined;
  function free(): void {
    release?.();
    release = undefined;
  }
  return {
    async take(output) {
      if (output.kind !== 'state') return;
      // A state is handed out before its request is made: nobody holds an open list while waiting for a place.
      if (output.state.kind === 'streaming' || output.state.kind === 'paging') release ??= await syncs.acquire(signal);
      else free();
    },
    release: free,
  };
}

function reportProblem(
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

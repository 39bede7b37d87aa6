// One stream's watch and record: each output of the watch is recorded before the next one is asked for (promise 1), and
// what is recorded is handed to the publisher (promise 3).
import { redactor } from '../history/redact.ts';
import { Mk8sError } from '../model/errors.ts';
import { compareResourceVersions, type ResourceVersion } from '../model/resource-version.ts';
import type { LogPosition } from '../ports/revision-log.ts';
import type { WatchState } from '../watch/state.ts';
import type { WatchContext, WatchOutput } from '../watch/watch-context.ts';
import { watchStream } from '../watch/watch-stream.ts';
import type { HeldLease } from './lease-keeper.ts';
import type { Publisher } from './publisher.ts';
import { createRecorder, type Recorder, recordReader } from './recorder.ts';
import type { StatusRow } from './status-board.ts';
import { createRecount, reportProblem, trackOutput, trackRecorded } from './stream-progress.ts';
import type { StreamEnd, StreamServices, StreamTask } from './stream-task.ts';
import { syncSlot } from './sync-slot.ts';

/** Failures in a row after which a catch-up gives a stream up: about 20 s of backoff. */
const MOST_FAILURES = 6;
/**
 * Per stream: less than a TLS record's worth of events makes batches of one. 2 MiB make batches of 600 events of 3.4 KB, and
 * were a fifth faster than 1 MiB on a disk that took 3 ms to sync; 4 MiB were no faster.
 */
const READ_AHEAD = { least: 32 * 1024, most: 2 * 1024 * 1024 };

/** What one stream has of its own while it is followed. */
interface Followed {
  readonly lease: HeldLease;
  readonly row: StatusRow;
  readonly position: LogPosition;
  readonly publisher: Publisher;
  /** Aborts when publishing cannot go on. */
  readonly failed: AbortSignal;
}

/** Watches and records until told to stop, the end of the resource, or (catch-up) the cluster's present. */
export async function followStream(task: StreamTask, services: StreamServices, own: Followed): Promise<StreamEnd> {
  const { lease, failed, position } = own;
  const present = createPresent();
  const recorder = openRecorder(task, services, own, present);
  if (task.gone) {
    // Else an earlier run ended it, and only had no time to publish that.
    if (position.objects > 0 || position.resourceVersion !== undefined) await recorder.end();
    return 'ended';
  }
  const signal = AbortSignal.any([task.stop, lease.lost, failed]);
  try {
    const anew = (): WatchContext['position'] => ({ epoch: recorder.epoch + 1, reason: 'restored' });
    let start = task.restores.told ? anew() : position;
    for (;;) {
      const end = await watchFrom(start, { task, services, row: own.row, recorder, present, signal });
      if (end !== 'restored') return end;
      start = anew();
    }
  } catch (error) {
    if (task.stop.aborted && !lease.lost.aborted && !failed.aborted) return 'stopped';
    throw lease.lost.aborted ? lease.lost.reason : failed.aborted ? failed.reason : error;
  }
}

interface Following {
  readonly task: StreamTask;
  readonly services: StreamServices;
  readonly row: StatusRow;
  readonly recorder: Recorder;
  readonly present: Present;
  readonly signal: AbortSignal;
}

/** One watch, until it ends, or until the cluster turns out to be restored: then another follows, in the next epoch. */
async function watchFrom(start: WatchContext['position'], following: Following): Promise<StreamEnd | 'restored'> {
  const { task, services, row, recorder, present, signal } = following;
  const { restores } = task;
  const restored = restores.listen();
  const inside = AbortSignal.any([signal, restored]);
  const recount = createRecount(row, services.log);
  const slot = syncSlot(services, task.stream.cluster, inside);
  try {
    for await (const output of watchStream(watchContext(task, services, start, inside))) {
      task.control.heard(output);
      await slot.take(output);
      if (output.kind === 'present' && output.verdict === 'restored') restores.notice();
      // Why it compares is said before a new epoch begins: that may be durable though the store does not say so.
      if (output.kind === 'sync') trackOutput(row, output, { services, task });
      if ((await recorder.take(output)) === 'went back') {
        restores.notice();
        return 'restored';
      }
      if (output.kind === 'sync') restores.seen(recorder.epoch);
      else trackOutput(row, output, { services, task });
      await recount(output);
      const reached = present.isReached(output, recorder.resourceVersion);
      if (services.mode === 'follow') continue;
      if (reached) return 'caught-up';
      if (output.kind === 'state') throwIfHopeless(output.state);
    }
    await recorder.end();
    return 'ended';
  } catch (error) {
    if (restored.aborted && !signal.aborted) return 'restored';
    throw error;
  } finally {
    slot.release();
  }
}

function watchContext(
  task: StreamTask,
  services: StreamServices,
  position: WatchContext['position'],
  signal: AbortSignal,
): WatchContext {
  const { log, policy, clock, random, ignoreNoop } = services;
  const redact = redactor(services.redact, task.stream);
  const record = recordReader(log, task.stream, { sparse: ignoreNoop, redact });
  const readAheadBytes = (): number => readAheadShare(services);
  return { ...task, readAheadBytes, position, record, policy, clock, random, signal };
}

function openRecorder(
  task: StreamTask,
  services: StreamServices,
  { lease, row, position, publisher }: Followed,
  present: Present,
): Recorder {
  return createRecorder({
    ...services,
    stream: task.stream,
    fence: lease.fence,
    position: { ...position, epoch: Math.max(1, position.epoch) },
    redact: redactor(services.redact, task.stream),
    signal: AbortSignal.any([task.giveUp, lease.lost]),
    onRecorded(revisions, reached) {
      trackRecorded(row, services.tally, revisions, present.version);
      publisher.offer(revisions, reached);
    },
    onEpoch(epoch) {
      row.epoch = epoch;
      publisher.beginEpoch(epoch);
    },
    onProblem: (problem) => reportProblem(task, services, row, 'storeProblem', problem),
  });
}

/** What was the cluster's present when this run looked. */
interface Present {
  /** Undefined where it is not known, or not comparable with the record. */
  readonly version: ResourceVersion | undefined;
  /** True where the record, which has come to `recorded`, holds it. */
  isReached(output: WatchOutput, recorded: ResourceVersion | undefined): boolean;
}

function createPresent(): Present {
  let version: ResourceVersion | undefined;
  return {
    get version() {
      return version;
    },
    isReached(output, recorded) {
      // Where our resourceVersions no longer count, a comparison follows, and its end is what counts.
      if (output.kind === 'present') version = output.verdict === 'same' ? output.resourceVersion : undefined;
      if (output.kind === 'synced' || output.kind === 'lasted') return true;
      return version !== undefined && recorded !== undefined && compareResourceVersions(recorded, version) >= 0;
    },
  };
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

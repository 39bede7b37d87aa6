// One stream from its lease to its checkpoint: the pipeline on one page. Recording and publishing run side by side, joined
// by the log.
import { backoffDelay } from '../async/backoff.ts';
import { Mk8sError, messageOf } from '../model/errors.ts';
import { streamKey } from '../model/stream.ts';
import type { LogPosition } from '../ports/revision-log.ts';
import { followStream } from './follow-stream.ts';
import type { HeldLease } from './lease-keeper.ts';
import { createPublisher } from './publisher.ts';
import type { StatusRow } from './status-board.ts';
import { reportProblem, trackEnd, trackProblem } from './stream-progress.ts';
import type { StreamEnd, StreamServices, StreamTask } from './stream-task.ts';

/** While there is no room to begin with. */
const CLAIM_RETRY = { baseMs: 1000, maxMs: 15_000 };

/** Runs one stream until it ends. Throws Mk8sError `fenced` or `storage` where it cannot go on. */
export async function runStream(task: StreamTask, services: StreamServices): Promise<StreamEnd> {
  const row = services.board.row(task.stream, task.clusterName);
  const lease = await services.leases.acquire(`stream/${streamKey(task.stream)}`);
  if ('holder' in lease) {
    row.state = 'parked';
    trackProblem(row, 'watchProblem', `followed by another run: ${lease.holder.description}`, services.clock.now());
    // The other run acts on restores: then it has begun an epoch.
    task.restores.seen((await services.log.position(task.stream)).epoch);
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
  task.restores.seen(position.epoch);
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
    const end = await followStream(task, services, { lease, row, position, publisher, failed: failed.signal });
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

// Publishes one stream's revisions in order and moves its checkpoint after the acknowledgement (promises 1 to 5).
// The log is the outbox: what does not fit in memory while a sink is slow or down is read from there again.
import { backoffDelay } from '../async/backoff.ts';
import { patience } from '../async/retry-after.ts';
import { createWake, type Wake } from '../async/wake.ts';
import type { Checkpoint } from '../model/checkpoint.ts';
import { Mk8sError, messageOf } from '../model/errors.ts';
import type { ResourceVersion } from '../model/resource-version.ts';
import type { Revision } from '../model/revision.ts';
import type { StreamRef } from '../model/stream.ts';
import type { CheckpointStore } from '../ports/checkpoint-store.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { EventSink } from '../ports/event-sink.ts';
import type { RevisionLog } from '../ports/revision-log.ts';
import { createAcknowledgements } from './acknowledgements.ts';
import type { ByteBudget } from './byte-budget.ts';

/** One publish: large enough for throughput, small enough to hold several streams' worth. */
const BATCH = { changes: 1000, bytes: 1024 * 1024 };
const RETRY = { baseMs: 500, maxMs: 30_000 };
/** Where only somebody else can mend it: a redirect, a certificate, a refused credential. */
const RETRY_BLOCKED = { baseMs: 30_000, maxMs: 300_000 };
const BLOCKED_NOTE = '; publishing is blocked until that is changed';
/** A checkpoint is written at most this often per stream while changes flow, milliseconds; a crash republishes that much. */
const CHECKPOINT_EVERY_MS = 250;

export interface PublisherOptions {
  readonly stream: StreamRef;
  readonly fence: number;
  readonly epoch: number;
  readonly log: RevisionLog;
  readonly checkpoints: CheckpointStore;
  /** Undefined where the folder itself is the feed: recording is publishing. */
  readonly sink: EventSink | undefined;
  readonly budget: ByteBudget;
  readonly clock: Clock;
  readonly random: Random;
  /** What is recorded already, and how much of it was published. */
  readonly checkpoint: Checkpoint | undefined;
  readonly recorded: { readonly sequence: number; readonly resourceVersion?: ResourceVersion };
  /** Progress, and problems (undefined when it works again). `blocked`: until somebody changes something. */
  readonly onProgress: (progress: { published: number; resourceVersion: ResourceVersion | undefined }) => void;
  readonly onProblem: (problem: string | undefined, blocked: boolean) => void;
}

export interface Publisher {
  /** Revisions were recorded, in sequence order (may be none); the record now covers everything up to `resourceVersion`. */
  offer(revisions: readonly Revision[], resourceVersion: ResourceVersion | undefined): void;
  /** A new epoch began after everything offered so far. */
  beginEpoch(epoch: number): void;
  /** Resolves when all that was offered is published and checkpointed. */
  drained(signal: AbortSignal): Promise<void>;
  /** Publishes until the signal aborts (rejects with its reason) or it cannot go on (Mk8sError `fenced`, `storage`). */
  run(signal: AbortSignal): Promise<never>;
  readonly published: number;
}

export function createPublisher(options: PublisherOptions): Publisher {
  const { stream, log, checkpoints, sink, budget, clock, random } = options;
  const work = createWake();
  const acknowledgements = createAcknowledgements();
  const replayed = options.recorded.sequence;
  let drains: Wake[] = [];
  let checkpoint = options.checkpoint;
  let checkpointedAt = 0;
  let timing = false;
  let { epoch } = options;
  let published = Math.min(checkpoint?.published ?? 0, replayed);
  let reached = checkpoint?.epoch === epoch ? checkpoint.resourceVersion : undefined;
  let recorded = replayed;
  /** Handed over in memory; contiguous, ends at `recorded` unless it had to be dropped. */
  let queue: Revision[] = [];
  let queuedBytes = 0;
  let over = false;
  let hasRoom = true;
  if (options.recorded.resourceVersion !== undefined) {
    acknowledgements.mark(replayed, options.recorded.resourceVersion);
  }
  work.notify();

  function offer(revisions: readonly Revision[], resourceVersion: ResourceVersion | undefined): void {
    const last = revisions.at(-1);
    if (last !== undefined) {
      recorded = last.sequence;
      if (sink !== undefined) enqueue(revisions);
    }
    if (resourceVersion !== undefined) acknowledgements.mark(recorded, resourceVersion);
    work.notify();
  }

  /** Keeps revisions in memory where they continue the queue and the budget has room; else they are read back later. */
  function enqueue(revisions: readonly Revision[]): void {
    // Nobody would give the bytes back.
    if (over) return;
    const bytes = revisions.reduce((sum, revision) => sum + revision.object.byteLength, 0);
    const expected = (queue.at(-1)?.sequence ?? published) + 1;
    if (revisions[0]?.sequence !== expected || !budget.tryTake(bytes)) return;
    queue.push(...revisions);
    queuedBytes += bytes;
  }

  function dropQueue(): void {
    budget.giveBack(queuedBytes);
    queue = [];
    queuedBytes = 0;
  }

  async function nextBatch(): Promise<readonly Revision[]> {
    if (queue[0]?.sequence === published + 1) return oneBatch(queue);
    dropQueue();
    const batch = await log.read(stream, published, BATCH);
    return batch.map((revision) => (revision.sequence <= replayed ? { ...revision, origin: 'replay' } : revision));
  }

  async function publish(signal: AbortSignal): Promise<void> {
    if (sink === undefined) return advance(recorded);
    while (published < recorded) {
      const batch = await nextBatch();
      const last = batch.at(-1);
      if (last === undefined) {
        throw new Mk8sError(
          `Revisions ${published + 1} to ${recorded} of ${stream.plural} are recorded but cannot be read`,
          { code: 'storage' },
        );
      }
      await untilAcknowledged(sink, batch, signal);
      const kept = queue.filter((revision) => revision.sequence > last.sequence);
      const bytes = kept.reduce((sum, revision) => sum + revision.object.byteLength, 0);
      budget.giveBack(queuedBytes - bytes);
      queue = kept;
      queuedBytes = bytes;
      advance(last.sequence);
      await saveCheckpoint(false);
    }
    advance(recorded);
  }

  async function untilAcknowledged(to: EventSink, batch: readonly Revision[], signal: AbortSignal): Promise<void> {
    let failed = false;
    /** Since something got through: a sink that refuses a few in a hundred, or limits its rate, is not away. */
    let failures = 0;
    for (;;) {
      try {
        await to.publish(batch, signal, () => {
          failures = 0;
        });
        if (failed) options.onProblem(undefined, false);
        return;
      } catch (error) {
        signal.throwIfAborted();
        failed = true;
        failures += 1;
        const known = error instanceof Mk8sError ? error : undefined;
        const blocked = known?.retryable === false;
        const { waitMs, note } = patience(known?.retryAfterMs ?? 0);
        const said = `${note}${blocked ? BLOCKED_NOTE : ''}`;
        options.onProblem(said === '' ? messageOf(error) : messageOf(error).replace(/\.?$/, said), blocked);
        const own = backoffDelay(failures, blocked ? RETRY_BLOCKED : RETRY, random);
        await clock.sleep(Math.max(waitMs, own), signal);
      }
    }
  }

  function advance(sequence: number): void {
    published = Math.max(published, sequence);
    reached = acknowledgements.reached(published) ?? reached;
    options.onProgress({ published, resourceVersion: reached });
  }

  function isBehind(): boolean {
    return checkpoint?.published !== published || checkpoint.resourceVersion !== reached || checkpoint.epoch !== epoch;
  }

  /** Writes the checkpoint where it is behind; not more often than every CHECKPOINT_EVERY_MS unless `now`. */
  async function saveCheckpoint(now: boolean): Promise<void> {
    // Below 0 the wall clock was set back; until it is there again would be too long.
    const since = clock.now() - checkpointedAt;
    if (!isBehind() || (!now && since >= 0 && since < CHECKPOINT_EVERY_MS)) return;
    const next: Checkpoint = {
      epoch,
      ...(reached === undefined ? {} : { resourceVersion: reached }),
      published,
      fence: options.fence,
      updatedAt: clock.now(),
    };
    checkpointedAt = next.updatedAt;
    try {
      await checkpoints.compareAndSet(stream, checkpoint, next);
    } catch (error) {
      // No room: the checkpoint stays behind until there is.
      if (!(error instanceof Mk8sError) || error.code !== 'full') throw error;
      hasRoom = false;
      return options.onProblem(messageOf(error), false);
    }
    checkpoint = next;
    // Nothing is checkpointed while the sink fails: the problem that ends here is this one.
    if (!hasRoom) options.onProblem(undefined, false);
    hasRoom = true;
  }

  /** Comes back to the checkpoint once it is time, without holding up what is published meanwhile. */
  function checkpointLater(signal: AbortSignal): void {
    if (timing) return;
    timing = true;
    clock.sleep(CHECKPOINT_EVERY_MS, signal).then(
      () => {
        timing = false;
        work.notify();
      },
      // Aborted: run() ends by the same signal.
      () => undefined,
    );
  }

  async function run(signal: AbortSignal): Promise<never> {
    try {
      for (;;) {
        await work.wait(signal);
        await publish(signal);
        await saveCheckpoint(drains.length > 0);
        if (isBehind()) checkpointLater(signal);
        if (published >= recorded && !isBehind()) for (const drain of drains) drain.notify();
      }
    } finally {
      over = true;
      dropQueue();
    }
  }

  async function drained(signal: AbortSignal): Promise<void> {
    const drain = createWake();
    drains = [...drains, drain];
    work.notify();
    try {
      await drain.wait(signal);
    } finally {
      drains = drains.filter((other) => other !== drain);
    }
  }

  function beginEpoch(next: number): void {
    epoch = next;
    reached = undefined;
    acknowledgements.clear();
    work.notify();
  }

  return {
    offer,
    beginEpoch,
    drained,
    run,
    get published() {
      return published;
    },
  };
}

/** The first of `revisions` that make one publish; at least one. */
function oneBatch(revisions: readonly Revision[]): readonly Revision[] {
  let bytes = 0;
  const end = revisions.findIndex(({ object }, index) => {
    bytes += object.byteLength;
    return index > 0 && (bytes > BATCH.bytes || index === BATCH.changes);
  });
  return revisions.slice(0, end === -1 ? revisions.length : end);
}

// Turns what a watch hands out into revisions in the log, before anything else happens to it (promises 1, 3, 7).
import { backoffDelay } from '../async/backoff.ts';
import { isNoop } from '../history/noop.ts';
import type { Redactor } from '../history/redact.ts';
import { Mk8sError, messageOf } from '../model/errors.ts';
import { compareResourceVersions, type ResourceVersion } from '../model/resource-version.ts';
import {
  type ChangeType,
  type Observed,
  type Origin,
  objectKey,
  type Revision,
  type ScannedObject,
} from '../model/revision.ts';
import type { StreamRef } from '../model/stream.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { AppendBatch, LogPosition, RevisionLog } from '../ports/revision-log.ts';
import { type Reconcile, startReconcile } from '../watch/reconcile.ts';
import type { RecordReader } from '../watch/record-reader.ts';
import type { WatchEvent, WatchOutput } from '../watch/watch-context.ts';
import { createGathered } from './gathered.ts';

const FULL_RETRY = { baseMs: 1000, maxMs: 15_000 };
/** Missing stretches remembered during a streaming list: about 4 MB of keys. */
const MOST_GAPS = 20_000;
/** Of the newest revisions, read to prove that resourceVersions still mean the same. */
const NEWEST_BYTES = 4 * 1024 * 1024;
/** Revisions read at a time after an append whose outcome was not known. */
const MOST_READ_BACK = 1000;
const typeOf = { ADDED: 'add', MODIFIED: 'update', DELETED: 'delete' } as const satisfies Record<string, ChangeType>;

export interface RecorderOptions {
  readonly stream: StreamRef;
  readonly fence: number;
  readonly log: RevisionLog;
  readonly position: LogPosition;
  readonly redact: Redactor | undefined;
  readonly ignoreNoop: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** After every append, once durable. */
  readonly onRecorded: (revisions: readonly Revision[], resourceVersion: ResourceVersion | undefined) => void;
  readonly onEpoch: (epoch: number) => void;
  /** The store has no room, or has it again (undefined). */
  readonly onProblem: (problem: string | undefined) => void;
}

export interface Recorder {
  /**
   * Resolves when the output is durably recorded; what a comparison found, at the latest when the comparison ends.
   * Throws Mk8sError `fenced` or `storage`. `went back`: a comparison found that the cluster was restored; it has to begin
   * anew in the next epoch.
   */
  take(output: WatchOutput): Promise<'recorded' | 'went back'>;
  /** The resource is gone: tombstones for everything, and the next life of the stream begins a new epoch. */
  end(): Promise<void>;
  readonly epoch: number;
  readonly resourceVersion: ResourceVersion | undefined;
}

/** From the start of a list to its end. */
interface Comparison {
  /** Absent where nothing that lives is recorded. */
  readonly reconcile: Reconcile | undefined;
  readonly origin: Origin;
  /** That the cluster was restored, beside what `reconcile` says. */
  wentBack: boolean;
}

async function* none(): AsyncGenerator<never> {
  // Nothing was compared: nothing can be missing.
}

/** What the watch may ask of the record. `sparse`: changes that alter nothing are left out of it. */
export function recordReader(
  log: RevisionLog,
  stream: StreamRef,
  { sparse = false, redact }: { sparse?: boolean; redact?: Redactor | undefined } = {},
): RecordReader {
  return {
    sparse,
    holds(revision, object) {
      const { uid, resourceVersion, object: bytes } = redact === undefined ? object : redact(object);
      const same = revision.uid === uid && revision.resourceVersion === resourceVersion;
      return same && Buffer.compare(revision.object, bytes) === 0;
    },
    alters: (revision, object) => !isNoop(revision.object, (redact?.(object) ?? object).object),
    lastStates: (after, limit) => log.lastStates(stream, after, limit),
    revision: (sequence) => log.revision(stream, sequence),
    newest: (limit) => newest(log, stream, limit),
  };
}

function isRestored(comparison: Comparison | undefined): boolean {
  return comparison?.wentBack === true || comparison?.reconcile?.wentBack === true;
}

async function newest(log: RevisionLog, stream: StreamRef, limit: number): Promise<readonly Revision[]> {
  const { sequence } = await log.position(stream);
  const revisions = await log.read(stream, Math.max(0, sequence - limit), { changes: limit, bytes: NEWEST_BYTES });
  // Large objects: the page ended before the newest one. Fewer will do. (What retention removed is missing without that.)
  const bytes = revisions.reduce((sum, { object }) => sum + object.byteLength, 0);
  const cut = limit > 1 && bytes >= NEWEST_BYTES && (revisions.at(-1)?.sequence ?? sequence) < sequence;
  return cut ? await newest(log, stream, Math.ceil(limit / 4)) : revisions.toReversed();
}

export function createRecorder(options: RecorderOptions): Recorder {
  const { stream, log, clock, fence } = options;
  const record = recordReader(log, stream, { sparse: options.ignoreNoop, redact: options.redact });
  let { epoch, resourceVersion, sequence } = options.position;
  let comparison: Comparison | undefined;
  const gathered = createGathered();

  async function take(output: WatchOutput): Promise<'recorded' | 'went back'> {
    await takeIn(output);
    if (!isRestored(comparison)) return 'recorded';
    await append(gathered.take(), undefined);
    comparison = undefined;
    return 'went back';
  }

  async function takeIn(output: WatchOutput): Promise<void> {
    switch (output.kind) {
      case 'sync':
        return await beginSync(output);
      case 'listed':
        if (comparison?.reconcile === undefined)
          return await append(firstSeen(output.objects), undefined, output.again);
        await gather(await comparison.reconcile.take(output.objects, output.again));
        if (comparison.reconcile.pending > MOST_GAPS) await bury(comparison.reconcile.flush());
        return;
      case 'page':
        return await bury(comparison?.reconcile?.flush(output.asOf));
      case 'synced':
        await bury(comparison?.reconcile?.finish(output.asOf));
        // Before the position that they come with: the log may know better.
        await append(gathered.take(), undefined);
        if (isRestored(comparison)) return;
        comparison = undefined;
        return await append([], output.resourceVersion);
      case 'events':
        return await append(observedEvents(output.events), output.resourceVersion);
      case 'bookmark':
        return await append([], output.resourceVersion);
      case 'state':
        // A comparison was interrupted, perhaps for long.
        return await append(gathered.take(), undefined);
      case 'present':
      case 'lasted':
      case 'turn':
        return;
    }
  }

  async function beginSync(sync: WatchOutput & { kind: 'sync' }): Promise<void> {
    // Of a comparison that was given up: the next one has to meet it as recorded.
    await append(gathered.take(), undefined);
    if (sync.epoch !== epoch) await beginEpoch(sync.epoch);
    // In a first sync of an empty record there is nothing that a gap could have hidden.
    const origin: Origin = sync.reason === 'first' && (!sync.ordered || epoch === 1) ? 'snapshot' : 'relist';
    const context = { origin, epoch, position: resourceVersion, now: () => clock.now() };
    const reconcile = sync.ordered ? startReconcile(record, context) : undefined;
    comparison = { reconcile, origin, wentBack: false };
  }

  async function beginEpoch(next: number): Promise<void> {
    await appendDurably({ fence, epoch: next, changes: [] });
    epoch = next;
    resourceVersion = undefined;
    options.onEpoch(next);
  }

  async function bury(batches: AsyncIterable<readonly Observed[]> = none()): Promise<void> {
    for await (const tombstones of batches) await gather(tombstones);
    await gather([]);
  }

  async function gather(changes: readonly Observed[]): Promise<void> {
    const now = clock.now();
    if (gathered.isDue(changes, now)) await append([...gathered.take(), ...changes], undefined);
    else gathered.add(changes, now);
  }

  /** Of a list where nothing that lives is recorded: up to an object of another life, if there is one. */
  function firstSeen(objects: readonly ScannedObject[]): readonly Observed[] {
    const origin = comparison?.origin ?? 'snapshot';
    const observedAt = clock.now();
    // What is not newer than our position would have been told to us, and would be recorded.
    const isForeign = (object: ScannedObject): boolean =>
      resourceVersion !== undefined && compareResourceVersions(object.resourceVersion, resourceVersion) <= 0;
    const foreign = objects.findIndex(isForeign);
    if (foreign >= 0 && comparison !== undefined) comparison.wentBack = true;
    const own = foreign < 0 ? objects : objects.slice(0, foreign);
    return own.map((object) => ({ ...object, type: 'add', origin, asOf: object.resourceVersion, observedAt }));
  }

  // Field by field: spreads and a look at the clock for each cost as much as looking the object up.
  function observedEvents(events: readonly WatchEvent[]): readonly Observed[] {
    const observedAt = clock.now();
    return events.map(({ type, object }) => ({
      apiVersion: object.apiVersion,
      kind: object.kind,
      namespace: object.namespace,
      name: object.name,
      uid: object.uid,
      resourceVersion: object.resourceVersion,
      manager: object.manager,
      object: object.object,
      type: typeOf[type],
      origin: 'watch',
      asOf: object.resourceVersion,
      observedAt,
    }));
  }

  /** `repeats`: the changes may be of objects that were recorded before. */
  async function append(
    changes: readonly Observed[],
    reached: ResourceVersion | undefined,
    repeats = false,
  ): Promise<void> {
    const moves =
      reached !== undefined && (resourceVersion === undefined || compareResourceVersions(reached, resourceVersion) > 0);
    if (changes.length === 0 && !moves) return;
    const { redact } = options;
    const redacted = redact === undefined ? changes : changes.map((change) => redact(change));
    const news = options.ignoreNoop ? await withoutNoops(redacted) : redacted;
    const revisions = await appendDurably({
      fence,
      epoch,
      changes: news,
      ...(moves ? { resourceVersion: reached } : {}),
    });
    if (moves) resourceVersion = reached;
    options.onRecorded(revisions, moves ? reached : undefined);
    // What a comparison found is news. What the log takes for known lives, and is recorded as deleted later: by a comparison
    // that never came to its end, in what was another life of the cluster.
    if (comparison !== undefined && !repeats && revisions.length < news.length) comparison.wentBack = true;
  }

  /** While there is no room, waits: the socket is slowed, the checkpoint stays behind, nothing is lost. */
  async function appendDurably(batch: AppendBatch): Promise<readonly Revision[]> {
    for (let failures = 1; ; failures += 1) {
      try {
        const appended = await log.append(stream, batch);
        if (failures > 1) options.onProblem(undefined);
        // An attempt that failed may have recorded the batch all the same: then it is no news to this one.
        const revisions = failures > 1 ? await recordedSince(sequence) : appended;
        sequence = revisions.at(-1)?.sequence ?? sequence;
        return revisions;
      } catch (error) {
        if (!(error instanceof Mk8sError) || !error.retryable) throw error;
        options.onProblem(messageOf(error));
        await clock.sleep(backoffDelay(failures, FULL_RETRY, options.random), options.signal);
      }
    }
  }

  /** No more than one batch. */
  async function recordedSince(known: number): Promise<readonly Revision[]> {
    const revisions: Revision[] = [];
    for (let after = known; ; ) {
      const page = await log.read(stream, after, { changes: MOST_READ_BACK, bytes: NEWEST_BYTES });
      revisions.push(...page);
      const last = page.at(-1);
      if (last === undefined) return revisions;
      after = last.sequence;
    }
  }

  async function withoutNoops(changes: readonly Observed[]): Promise<readonly Observed[]> {
    const kept: Observed[] = [];
    const newer = new Map<string, Observed>();
    for (const change of changes) {
      const key = objectKey(change.namespace, change.name);
      const before = newer.get(key) ?? (await lastRevision(change));
      newer.set(key, change);
      const same = change.type === 'update' && before?.type !== 'delete' && before?.uid === change.uid;
      if (!same || !isNoop(before.object, change.object)) kept.push(change);
    }
    return kept;
  }

  async function lastRevision(change: Observed): Promise<Observed | undefined> {
    const last = await log.lastState(stream, objectKey(change.namespace, change.name));
    return last === undefined ? undefined : await log.revision(stream, last.sequence);
  }

  async function end(): Promise<void> {
    const reconcile = startReconcile(record, { origin: 'relist', epoch, now: () => clock.now() });
    await bury(reconcile.finish());
    await append(gathered.take(), undefined);
    await beginEpoch(epoch + 1);
  }

  return {
    take,
    end,
    get epoch() {
      return epoch;
    },
    get resourceVersion() {
      return resourceVersion;
    },
  };
}

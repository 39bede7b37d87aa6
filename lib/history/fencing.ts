// Who may move a stream on, and how far a batch moves it: the rules that every store of revisions keeps (promise 6).
import { type Checkpoint, isSameCheckpoint } from '../model/checkpoint.ts';
import { Mk8sError } from '../model/errors.ts';
import { compareResourceVersions, type ResourceVersion } from '../model/resource-version.ts';
import type { StreamKey } from '../model/stream.ts';
import type { AppendBatch } from '../ports/revision-log.ts';

/** Where a stream stands, as far as these rules go. */
interface Standing {
  /** The largest seen. */
  readonly fence: number;
  readonly epoch: number;
  readonly resourceVersion: ResourceVersion | undefined;
  readonly checkpoint: Checkpoint | undefined;
}

/** Throws Mk8sError `fenced` where another process goes on with the stream already. */
export function mustBeOwner(
  stream: StreamKey,
  { fence, epoch }: Pick<AppendBatch, 'fence' | 'epoch'>,
  seen: Pick<Standing, 'fence' | 'epoch'>,
): void {
  if (fence < seen.fence) throw displaced(stream, fence, seen.fence);
  if (epoch < seen.epoch) throw refused(stream, `another process began its epoch ${seen.epoch}, ours is ${epoch}`);
}

/** The error of a writer whose fence is smaller than one that the stream has seen. */
export function displaced(stream: StreamKey, ours: number, theirs: number): Mk8sError {
  return refused(stream, `another process took it over (fence ${theirs}, ours is ${ours})`);
}

/** What a batch says of the stream beside its changes. A position moves forward only, but begins anew with an epoch. */
export function movedBy(
  { fence, epoch, resourceVersion }: Omit<AppendBatch, 'changes'>,
  seen: Pick<Standing, 'epoch' | 'resourceVersion'>,
): Pick<Standing, 'fence' | 'epoch' | 'resourceVersion'> {
  const before = epoch > seen.epoch ? undefined : seen.resourceVersion;
  const forward =
    before === undefined || (resourceVersion !== undefined && compareResourceVersions(resourceVersion, before) > 0);
  return { fence, epoch, resourceVersion: forward ? resourceVersion : before };
}

/** Throws Mk8sError `fenced` where the checkpoint is not `previous` any more, or `next` comes from a displaced owner. */
export function mustMoveOn(
  stream: StreamKey,
  previous: Checkpoint | undefined,
  next: Checkpoint,
  seen: Pick<Standing, 'fence' | 'checkpoint'>,
): void {
  const refuse = (why: string): Mk8sError =>
    new Mk8sError(
      `Cannot move the checkpoint of stream "${stream}": ${why}. Its new owner goes on; this one must stop`,
      { code: 'fenced' },
    );
  if (next.fence < seen.fence) {
    throw refuse(`another process took it over (fence ${seen.fence}, ours is ${next.fence})`);
  }
  if (!isSameCheckpoint(seen.checkpoint, previous)) {
    throw refuse(`it was moved by another process (to ${show(seen.checkpoint)}, ours was ${show(previous)})`);
  }
}

function refused(stream: StreamKey, why: string): Mk8sError {
  return new Mk8sError(
    `Cannot record changes of stream "${stream}": ${why}. Its new owner goes on; this one must stop`,
    { code: 'fenced' },
  );
}

function show(checkpoint: Checkpoint | undefined): string {
  return checkpoint === undefined ? 'none' : `epoch ${checkpoint.epoch}, sequence ${checkpoint.published}`;
}

// What one commit does to the streams in it: worked out in memory first, then written as frames.
import { accepts } from '../../history/accepts.ts';
import { movedBy, mustBeOwner, mustMoveOn } from '../../history/fencing.ts';
import { type Known, knownFrom } from '../../history/recent-states.ts';
import type { Checkpoint } from '../../model/checkpoint.ts';
import { type ObjectKey, type Observed, objectKey } from '../../model/revision.ts';
import { type StreamRef, streamKey } from '../../model/stream.ts';
import type { AppendBatch } from '../../ports/revision-log.ts';
import type { Entry, Frame, Part } from './frame.ts';
import { type Head, withCheckpoint } from './head.ts';
import { streamId } from './names.ts';

export interface Drafted {
  readonly entry: Entry;
  readonly object: Uint8Array;
  /** Live objects after it. */
  readonly objects: number;
  /** In the order of the log; known once its frame is made. */
  position: number;
}

/** A stream in a commit that is being made. */
export interface Draft {
  readonly ref: StreamRef;
  readonly stream: string;
  readonly before: Head;
  head: Head;
  readonly states: Map<ObjectKey, Known>;
  readonly drafted: Drafted[];
}

export function draftOf(ref: StreamRef, head: Head): Draft {
  return { ref, stream: streamId(ref), before: head, head, states: new Map(), drafted: [] };
}

/** True where something has to be written: a position that a bookmark moved is not, until a checkpoint says so. */
export function hasNews({ before, head, drafted }: Draft): boolean {
  return drafted.length > 0 || before.epoch !== head.epoch || before.checkpoint !== head.checkpoint;
}

/** Puts a batch into the draft; returns the places in `drafted` that are new. Throws Mk8sError `fenced`. */
export function draftBatch(
  draft: Draft,
  batch: AppendBatch,
  states: { get(key: ObjectKey): Known | undefined },
): readonly Drafted[] {
  const { ref, head } = draft;
  const { epoch, changes } = batch;
  mustBeOwner(streamKey(ref), batch, head);
  const from = draft.drafted.length;
  let { sequence, objects } = head;
  for (const change of changes) {
    const key = objectKey(change.namespace, change.name);
    const state = states.get(key);
    if (!accepts(state, change, epoch)) continue;
    sequence += 1;
    const entry = entryOf(change, draft.stream, epoch, sequence, state);
    const next = knownFrom(entry);
    objects += Number(!next.deleted) - Number(state !== undefined && !state.deleted);
    draft.states.set(key, next);
    draft.drafted.push({ entry, object: change.object, objects, position: 0 });
  }
  draft.head = { ...head, ...movedBy(batch, head), sequence, objects };
  return draft.drafted.slice(from);
}

/** Puts a checkpoint into the draft. Throws Mk8sError `fenced`. */
export function draftCheckpoint(draft: Draft, previous: Checkpoint | undefined, next: Checkpoint): void {
  const { head, ref } = draft;
  mustMoveOn(streamKey(ref), previous, next, head);
  draft.head = withCheckpoint({ ...head, fence: next.fence, checkpoint: next });
}

/** Of one frame: a reader decompresses all of it for one revision. */
const MOST_FRAME = { entries: 200, bytes: 1024 * 1024 };

/** The frames of a commit, in order. Positions follow on `position` and on what each stream has. */
export function framesOf(
  drafts: readonly Draft[],
  { writer, number, position }: { readonly writer: string; readonly number: number; readonly position: number },
): readonly Omit<Frame, 'nonce'>[] {
  if (drafts.length === 0) return [];
  const floor = drafts.reduce((most, { before }) => Math.max(most, before.position), position);
  let open: { parts: Part[]; drafted: Drafted[]; bytes: number } = { parts: [], drafted: [], bytes: 0 };
  const contents = [open];
  for (const draft of drafts) {
    /** The last one of this stream in the open frame. */
    let last: Drafted | undefined;
    for (const one of draft.drafted) {
      const isFull =
        open.drafted.length >= MOST_FRAME.entries ||
        (open.drafted.length > 0 && open.bytes + one.object.byteLength > MOST_FRAME.bytes);
      if (isFull) {
        if (last !== undefined) open.parts.push(partAfter(draft, last));
        contents.push((open = { parts: [], drafted: [], bytes: 0 }));
      }
      open.drafted.push(one);
      open.bytes += one.object.byteLength;
      last = one;
    }
    open.parts.push(partOf(draft));
  }
  let next = floor;
  return contents.map(({ parts, drafted }, i) => {
    for (const [index, one] of drafted.entries()) one.position = next + index;
    const frame = {
      writer,
      number: number + i,
      position: next,
      parts,
      entries: drafted.map(({ entry }) => entry),
      objects: drafted.map(({ object }) => object),
    };
    next += drafted.length + 1;
    return frame;
  });
}

/** Where the stream stands after all of the commit. */
function partOf({ stream, before, head }: Draft): Part {
  const { fence, epoch, sequence, objects, resourceVersion, checkpoint } = head;
  return {
    stream,
    fence,
    epoch,
    sequence,
    objects,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(checkpoint === before.checkpoint ? {} : { checkpoint }),
  };
}

/** In the middle of a commit: its position moves with the last frame only. */
function partAfter({ stream, head }: Draft, { entry, objects }: Drafted): Part {
  return { stream, fence: head.fence, epoch: head.epoch, sequence: entry.sequence, objects };
}

function entryOf(change: Observed, stream: string, epoch: number, sequence: number, state: Known | undefined): Entry {
  const { object: _, ...rest } = change;
  return { ...rest, stream, epoch, sequence, previous: state?.sequence ?? 0, ordinal: (state?.ordinal ?? 0) + 1 };
}

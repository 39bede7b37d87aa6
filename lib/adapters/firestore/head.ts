// Where a stream stands: its document says how it was when its last states were last folded into pages, the frames since then
// say the rest.
import { knownFrom, RecentStates } from '../../history/recent-states.ts';
import type { Checkpoint } from '../../model/checkpoint.ts';
import { Mk8sError } from '../../model/errors.ts';
import { compareResourceVersions, type ResourceVersion, resourceVersion } from '../../model/resource-version.ts';
import { keyOf } from '../../model/revision.ts';
import { type StreamRef, streamKey } from '../../model/stream.ts';
import { type Document, type Documents, type Fields, Refused } from './documents.ts';
import { type Part, partsOf } from './frame.ts';
import type { Frames } from './frames.ts';
import { streamId, tags } from './names.ts';
import { type PageTable, packTable, unpackTable } from './pages.ts';

export interface Head {
  /** The largest seen. */
  readonly fence: number;
  readonly epoch: number;
  readonly sequence: number;
  /** Live objects. */
  readonly objects: number;
  readonly resourceVersion: ResourceVersion | undefined;
  readonly checkpoint: Checkpoint | undefined;
  /** The next frame that speaks of the stream comes after it. */
  readonly position: number;
}

/** A stream as it is read. */
export interface View {
  readonly head: Head;
  readonly table: PageTable;
  /** Last states of revisions that are not in the pages yet. */
  readonly recent: RecentStates;
  /** How many frames speak of it since its document was written. */
  readonly frames: number;
  /** Frames with positions below it are not needed any more to know where the stream stands. */
  readonly folded: number;
}

/** The owner of a stream is the writer in whose chain the frames stand that speak of it. */
export interface StreamDocument {
  readonly version: string;
  readonly writer: string;
  readonly head: Head;
  readonly table: PageTable;
}

export const unknown: Head = {
  fence: 0,
  epoch: 0,
  sequence: 0,
  objects: 0,
  resourceVersion: undefined,
  checkpoint: undefined,
  position: 0,
};

const PAGE = 50;

export function streamPath(ref: StreamRef): string {
  return `streams/${streamId(ref)}`;
}

export function streamFields(ref: StreamRef, writer: string, head: Head, table: PageTable): Fields {
  const { fence, epoch, sequence, objects, position, resourceVersion: rv, checkpoint } = head;
  return {
    key: streamKey(ref),
    cluster: ref.cluster,
    ref: JSON.stringify(ref),
    writer,
    fence,
    epoch,
    sequence,
    objects,
    position,
    rv: rv ?? null,
    checkpoint: checkpoint === undefined ? null : JSON.stringify(checkpoint),
    pages: table.length === 0 ? null : packTable(table),
  };
}

export function parseStream({ fields, version }: Document): StreamDocument {
  const { fence, epoch, sequence, objects, position, rv, checkpoint, writer, pages } = fields;
  const numbers = { fence, epoch, sequence, objects, position } as Pick<
    Head,
    'fence' | 'epoch' | 'sequence' | 'objects' | 'position'
  >;
  return {
    version,
    writer: String(writer),
    table: unpackTable(pages),
    head: {
      ...numbers,
      resourceVersion: typeof rv === 'string' ? resourceVersion(rv) : undefined,
      checkpoint: typeof checkpoint === 'string' ? (JSON.parse(checkpoint) as Checkpoint) : undefined,
    },
  };
}

/** The stream of a document, brought up to the newest frame. */
export async function viewFrom({ head: from, table }: StreamDocument, ref: StreamRef, frames: Frames): Promise<View> {
  const stream = streamId(ref);
  const recent = new RecentStates();
  let head = from;
  let count = 0;
  for (;;) {
    const page = await frames.tagged(tags.stream(stream), head.position, PAGE);
    for (const { document, entries } of page) {
      const part = partsOf(document).find((each) => each.stream === stream);
      if (part !== undefined) head = advanced(head, part, Number(document.fields['position']) + entries.length + 1);
      for (const entry of entries) if (entry.stream === stream) recent.set(keyOf(entry), knownFrom(entry));
    }
    count += page.length;
    if (page.length < PAGE) return { head: withCheckpoint(head), table, recent, frames: count, folded: from.position };
  }
}

/** A stream as it stands; undefined where there is no record of it. `read`: its document, where that was just read. */
export async function readView(
  documents: Documents,
  frames: Frames,
  ref: StreamRef,
  read?: Document,
): Promise<View | undefined> {
  const document = read ?? (await documents.get([streamPath(ref)]))[0];
  return document && (await viewFrom(parseStream(document), ref, frames));
}

function advanced(head: Head, part: Part, position: number): Head {
  const anew = part.epoch > head.epoch;
  return {
    fence: Math.max(head.fence, part.fence),
    epoch: part.epoch,
    sequence: part.sequence,
    objects: part.objects,
    resourceVersion: part.resourceVersion ?? (anew ? undefined : head.resourceVersion),
    checkpoint: part.checkpoint ?? head.checkpoint,
    position: Math.max(head.position, position),
  };
}

/** A checkpoint was recorded up to there, also where only bookmarks had moved the position and their writer forgot it since. */
export function withCheckpoint(head: Head): Head {
  const { checkpoint, epoch, resourceVersion: rv } = head;
  const reached = checkpoint?.epoch === epoch ? checkpoint.resourceVersion : undefined;
  if (reached === undefined || (rv !== undefined && compareResourceVersions(reached, rv) <= 0)) return head;
  return { ...head, resourceVersion: reached };
}

/** A condition that did not hold is ours to deal with; where that did not help, it is worth another attempt later. */
export function contested(error: unknown, ref: StreamRef): unknown {
  if (!(error instanceof Refused)) return error;
  return new Mk8sError(`Cannot write stream "${streamKey(ref)}" in Firestore: another process writes it, too`, {
    code: 'storage',
    retryable: true,
    cause: error,
  });
}

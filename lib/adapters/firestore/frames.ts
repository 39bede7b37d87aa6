// Reading frames: by what they can be found by.
import { type ObjectKey, objectKey, type Revision } from '../../model/revision.ts';
import type { StreamRef } from '../../model/stream.ts';
import type { Document, Documents } from './documents.ts';
import { chunkPaths, type Entry, revisionOf, unpackFrame } from './frame.ts';
import { streamId, tags } from './names.ts';

/** A frame and what it holds. */
export interface ReadFrame {
  readonly document: Document;
  readonly entries: readonly Entry[];
  readonly objects: readonly Uint8Array[];
}

export interface Frames {
  /** Frames with a tag, in the order of their positions from `from` on. */
  tagged(tag: string, from: number, limit: number): Promise<readonly ReadFrame[]>;
  /** One revision, undefined where it is not there. */
  revision(ref: StreamRef, sequence: number): Promise<Revision | undefined>;
  /** The position of the frame that holds a revision, undefined where there is none. */
  positionOf(ref: StreamRef, sequence: number): Promise<number | undefined>;
  /** Revisions of one object, newest first. */
  revisionsOf(ref: StreamRef, key: ObjectKey): AsyncIterable<Revision>;
}

/** Frames that share a bucket of sequence numbers, at most (names.ts). */
const MOST_IN_BUCKET = 16;
const PAGE = 10;

export function readFrames(documents: Documents): Frames {
  async function unpacked(document: Document): Promise<ReadFrame> {
    const paths = chunkPaths(document);
    const chunks = paths.length === 0 ? [] : await documents.get(paths);
    return { document, ...unpackFrame(document, chunks) };
  }

  async function tagged(tag: string, from: number, limit: number): Promise<readonly ReadFrame[]> {
    const where = [
      { field: 'tags', is: 'array-contains', value: tag },
      { field: 'position', is: '>=', value: from },
    ] as const;
    const found = await documents.query({ collection: 'frames', where, orderBy: { field: 'position' }, limit });
    return await Promise.all(found.map(unpacked));
  }

  async function find(ref: StreamRef, sequence: number): Promise<{ frame: ReadFrame; index: number } | undefined> {
    const stream = streamId(ref);
    for (const frame of await tagged(tags.sequence(stream, sequence), 0, MOST_IN_BUCKET)) {
      const index = frame.entries.findIndex((entry) => entry.stream === stream && entry.sequence === sequence);
      if (index >= 0) return { frame, index };
    }
    return undefined;
  }

  return {
    tagged,
    async revision(ref, sequence) {
      const found = await find(ref, sequence);
      return found && revisionAt(found.frame, found.index, ref);
    },
    async positionOf(ref, sequence) {
      const found = await find(ref, sequence);
      return found && Number(found.frame.document.fields['position']);
    },
    async *revisionsOf(ref, key) {
      const stream = streamId(ref);
      const tag = { field: 'tags', is: 'array-contains', value: tags.object(stream, key) } as const;
      for (let before = Number.MAX_SAFE_INTEGER; ; ) {
        const found = await documents.query({
          collection: 'frames',
          where: [tag, { field: 'position', is: '<', value: before }],
          orderBy: { field: 'position', descending: true },
          limit: PAGE,
        });
        for (const document of found) {
          const frame = await unpacked(document);
          for (let i = frame.entries.length - 1; i >= 0; i -= 1) {
            if (isOf(frame.entries[i], stream, key)) yield revisionAt(frame, i, ref);
          }
          before = Number(document.fields['position']);
        }
        if (found.length < PAGE) return;
      }
    },
  };
}

export function revisionAt({ document, entries, objects }: ReadFrame, index: number, ref: StreamRef): Revision {
  // A copy: a view would keep the whole frame in memory.
  const object = (objects[index] as Uint8Array).slice();
  return revisionOf(document, entries[index] as Entry, index, object, ref);
}

function isOf(entry: Entry | undefined, stream: string, key: ObjectKey): boolean {
  return entry?.stream === stream && objectKey(entry.namespace, entry.name) === key;
}

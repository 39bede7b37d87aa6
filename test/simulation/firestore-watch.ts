// What took effect in Firestore, told from the documents themselves: an append counts once its frame is there, whether or not its caller
// ever hears of it.
import type { Document, Fields, Write } from '../../lib/adapters/firestore/documents.ts';
import { chunkPaths, type Part, partsOf, revisionOf, unpackFrame } from '../../lib/adapters/firestore/frame.ts';
import type { Revision } from '../../lib/model/revision.ts';
import type { StreamRef } from '../../lib/model/stream.ts';
import type { DeadLetter } from '../../lib/ports/event-sink.ts';
import type { Holder, Lease } from '../../lib/ports/lease-store.ts';
import type { SimProcess } from './process.ts';
import type { StoreWatcher } from './store.ts';

type Tell = (process: SimProcess, writes: readonly Write[]) => void;

export function tellFirestore(watcher: StoreWatcher): Tell {
  const streams = new Map<string, StreamRef>();
  /** Documents of leases, whole: a change names only what it changes. */
  const leases = new Map<string, Fields>();
  /** By stream: epoch and position, as they were told last: every frame says them again. */
  const positions = new Map<string, string>();
  /** Holder id → until when its leases last. */
  const sessions = new Map<string, number>();

  function tellFrame(process: SimProcess, frame: Document, written: ReadonlyMap<string, Document>): void {
    const chunks = chunkPaths(frame).map((path) => written.get(path));
    const { entries, objects } = unpackFrame(frame, chunks);
    for (const part of partsOf(frame)) {
      const ref = streams.get(part.stream);
      if (ref === undefined) throw new Error(`${frame.path} speaks of stream ${part.stream}, which has no document`);
      const revisions = entries.flatMap((entry, i) =>
        entry.stream === part.stream ? [revisionOf(frame, entry, i, objects[i] as Uint8Array, ref)] : [],
      );
      tellPart(process, ref, part, revisions);
    }
  }

  /** One append for each epoch: one commit may end one and begin the next. */
  function tellPart(process: SimProcess, ref: StreamRef, part: Part, revisions: readonly Revision[]): void {
    const { fence, epoch, resourceVersion, checkpoint } = part;
    const earlier = new Set(revisions.map((revision) => revision.epoch).filter((each) => each < epoch));
    for (const before of earlier) {
      const some = revisions.filter((revision) => revision.epoch === before);
      watcher.onAppend(process, ref, { fence, epoch: before, changes: some }, some);
    }
    const changes = revisions.filter((revision) => revision.epoch === epoch);
    const position = `${epoch} ${resourceVersion}`;
    const moved = resourceVersion !== undefined && positions.get(part.stream) !== position;
    positions.set(part.stream, position);
    const reached = moved ? { resourceVersion } : {};
    watcher.onAppend(process, ref, { fence, epoch, changes, ...reached }, changes);
    if (checkpoint !== undefined) watcher.onCheckpoint(process, ref, checkpoint);
  }

  function tellLease(process: SimProcess, path: string, fields: Fields): void {
    const before = leases.get(path);
    const after = { ...before, ...fields };
    leases.set(path, after);
    const holder = holderOf(after);
    if (holder !== undefined) watcher.onLease(process, leaseOf(after, sessions.get(holder.id) ?? 0), holder);
    else watcher.onHeld(process, [leaseOf(after, 0)], undefined);
  }

  function tellSession(process: SimProcess, id: string, fields: Fields): void {
    const { expiresAt } = fields;
    if (typeof expiresAt !== 'number') return;
    sessions.set(id, expiresAt);
    const held = [...leases.values()].filter((lease) => holderOf(lease)?.id === id);
    watcher.onHeld(
      process,
      held.map((lease) => leaseOf(lease, expiresAt)),
      expiresAt,
    );
  }

  return (process, writes) => {
    const written = new Map(
      writes.flatMap((write) =>
        write.kind === 'delete' ? [] : [[write.path, { path: write.path, fields: write.fields, version: '' }]],
      ),
    );
    for (const document of written.values()) {
      const { path, fields } = document;
      const [collection, id = ''] = path.split('/');
      if (collection === 'streams' && fields['ref'] !== undefined) streams.set(id, JSON.parse(String(fields['ref'])));
      // Retention changes frames that are there.
      if (collection === 'frames' && fields['parts'] !== undefined) tellFrame(process, document, written);
      if (collection === 'leases') tellLease(process, path, fields);
      if (collection === 'sessions') tellSession(process, id, fields);
      if (collection === 'deadLetters') watcher.onDeadLetter(process, fields as unknown as DeadLetter);
    }
  };
}

function holderOf({ holder }: Fields): Holder | undefined {
  return typeof holder === 'string' ? (JSON.parse(holder) as Holder) : undefined;
}

function leaseOf({ name, fence }: Fields, expiresAt: number): Lease {
  return { name: String(name), fence: Number(fence), expiresAt };
}

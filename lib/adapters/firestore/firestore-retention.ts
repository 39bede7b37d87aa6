// Forgetting old frames. A frame goes as a whole, once nothing in it is the last state of a live object, all of it is
// published and old enough, and each of its streams is folded: what came after the last fold says where a stream stands, and where
// its checkpoint is. It is given a time at which Firestore's TTL removes it. A walk over all frames once a day is
// enough, and is remembered, so that runs of a few seconds get through it together.
import { Mk8sError } from '../../model/errors.ts';
import { type ObjectKey, objectKey } from '../../model/revision.ts';
import type { StreamRef } from '../../model/stream.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Retention, RetentionPolicy } from '../../ports/retention.ts';
import { type Document, type Documents, Refused, type Write } from './documents.ts';
import { chunkPaths, type Entry, partsOf, unpackFrame } from './frame.ts';
import { parseStream, type View } from './head.ts';
import type { Journal } from './journal.ts';
import type { Pages } from './pages.ts';

const EVERY_MS = 24 * 3_600_000;
const WALK = 'retention/walk';

interface Parts {
  readonly documents: Documents;
  readonly journal: Journal;
  readonly pages: Pages;
  readonly clock: Clock;
  /** Between two walks, milliseconds; default a day. */
  readonly everyMs: number | undefined;
}

export function firestoreRetention({
  documents,
  journal,
  pages,
  clock,
  everyMs = EVERY_MS,
}: Parts): Retention['retain'] {
  /** When a walk is due again, as far as this process knows: saves asking. */
  let restUntil = 0;

  async function refOf(stream: string, known: Map<string, StreamRef | undefined>): Promise<StreamRef | undefined> {
    if (!known.has(stream)) {
      const [document] = await documents.get([`streams/${stream}`]);
      known.set(stream, document && (parseStream(document), JSON.parse(String(document.fields['ref'])) as StreamRef));
    }
    return known.get(stream);
  }

  /** What in a frame may go; undefined where something has to stay. */
  async function judge(frame: Document, policy: RetentionPolicy, views: Views): Promise<readonly Gone[] | undefined> {
    const paths = chunkPaths(frame);
    const { entries } = unpackFrame(frame, paths.length === 0 ? [] : await documents.get(paths));
    const gone: Gone[] = [];
    for (const entry of entries) {
      const view = await views(entry.stream);
      if (view === undefined) return undefined;
      const fate = await fateOf(entry, view, policy);
      if (fate === 'stays') return undefined;
      if (fate === 'forgotten') gone.push({ ref: view.ref, key: objectKey(entry.namespace, entry.name) });
    }
    return (await isFolded(frame, views)) ? gone : undefined;
  }

  async function isFolded(frame: Document, views: Views): Promise<boolean> {
    const position = Number(frame.fields['position']);
    for (const { stream } of partsOf(frame)) {
      const seen = await views(stream);
      if (seen === undefined) return false;
      // Of our own streams, a day's last frames are folded for it.
      if (position >= seen.view.folded) await journal.forget(seen.ref, []);
      if (position >= seen.view.folded) return false;
    }
    return true;
  }

  async function fateOf(
    entry: Entry,
    { view }: Seen,
    policy: RetentionPolicy,
  ): Promise<'stays' | 'goes' | 'forgotten'> {
    const { maxAgeMs = Infinity, maxRevisionsPerObject = Infinity } = policy;
    if (entry.sequence > (view.head.checkpoint?.published ?? 0)) return 'stays';
    const key = objectKey(entry.namespace, entry.name);
    const last = view.recent.get(key) ?? (await pages.lookup(view.table, [key])).get(key);
    const old = entry.observedAt < clock.now() - maxAgeMs;
    const superseded = last === undefined || last.sequence > entry.sequence;
    if (superseded) return old || (last?.ordinal ?? 0) - entry.ordinal >= maxRevisionsPerObject ? 'goes' : 'stays';
    return old && last.deleted ? 'forgotten' : 'stays';
  }

  return async (policy, budget) => {
    if (clock.now() < restUntil) return { removed: 0, done: true };
    const [walk] = await documents.get([WALK]);
    const startedAt = Number(walk?.fields['startedAt'] ?? 0);
    const isOver = walk?.fields['over'] === true;
    if (isOver && clock.now() - startedAt < everyMs) {
      restUntil = startedAt + everyMs;
      return { removed: 0, done: true };
    }
    const after = isOver || walk === undefined ? -1 : Number(walk.fields['position']);
    const frames = await documents.query({
      collection: 'frames',
      where: [{ field: 'position', is: '>', value: after }],
      orderBy: { field: 'position' },
      limit: budget,
    });
    const refs = new Map<string, StreamRef | undefined>();
    const seen = new Map<string, Seen | undefined>();
    const views: Views = async (stream) => {
      if (!seen.has(stream)) {
        const ref = await refOf(stream, refs);
        const view = ref && (await journal.view(ref));
        seen.set(stream, ref && view && { ref, view });
      }
      return seen.get(stream);
    };
    const writes: Write[] = [];
    const forgotten = new Map<StreamRef, ObjectKey[]>();
    let removed = 0;
    for (const frame of frames) {
      if (frame.fields['expireAt'] !== undefined) continue;
      const gone = await judge(frame, policy, views);
      if (gone === undefined) continue;
      const expireAt = new Date(clock.now());
      for (const path of [frame.path, ...chunkPaths(frame)]) {
        const [document] = path === frame.path ? [frame] : await documents.get([path]);
        if (document !== undefined)
          writes.push({ kind: 'change', path, fields: { expireAt }, version: document.version });
      }
      for (const { ref, key } of gone) forgotten.set(ref, [...(forgotten.get(ref) ?? []), key]);
      removed += 1;
    }
    const done = frames.length < budget;
    const position = Number(frames.at(-1)?.fields['position'] ?? after);
    const mark: Write = {
      kind: 'put',
      path: WALK,
      fields: { position, over: done, startedAt: isOver || walk === undefined ? clock.now() : startedAt },
    };
    try {
      await documents.commit([...writes, mark]);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      throw new Mk8sError('Cannot remove old revisions from Firestore: another process does so at the same time', {
        code: 'storage',
        retryable: true,
        cause: error,
      });
    }
    for (const [ref, keys] of forgotten) await journal.forget(ref, keys);
    return { removed, done };
  };
}

interface Gone {
  readonly ref: StreamRef;
  readonly key: ObjectKey;
}

interface Seen {
  readonly ref: StreamRef;
  readonly view: View;
}

type Views = (stream: string) => Promise<Seen | undefined>;

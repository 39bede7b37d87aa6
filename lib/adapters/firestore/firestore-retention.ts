// Forgetting old frames. A frame goes as a whole, once nothing in it is the last state of a live object, all of it is published
// and old enough, and all that it says of where streams stand is folded; it is given a time at which Firestore's TTL removes it. A walk over all frames once a day is
// enough, and is remembered, so that runs of a few seconds get through it together.
import { Mk8sError } from '../../model/errors.ts';
import { type ObjectKey, objectKey } from '../../model/revision.ts';
import type { StreamRef } from '../../model/stream.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Retention, RetentionPolicy } from '../../ports/retention.ts';
import { type Document, type Documents, Refused, type Write } from './documents.ts';
import { chunkPaths, type Entry, partsOf, unpackFrame } from './frame.ts';
import type { View } from './head.ts';
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

  async function see(stream: string): Promise<Seen | undefined> {
    const [document] = await documents.get([`streams/${stream}`]);
    if (document === undefined) return undefined;
    const ref = JSON.parse(String(document.fields['ref'])) as StreamRef;
    const view = await journal.view(ref, { read: document });
    return view && { ref, view };
  }

  /** What in a frame may go; undefined where something has to stay. */
  async function judge(frame: Document, policy: RetentionPolicy, seen: Look): Promise<Verdict | undefined> {
    for (const { stream } of partsOf(frame)) {
      const found = await seen(stream);
      if (found !== undefined && found.view.folded > Number(frame.fields['position'])) continue;
      // Of our own streams, what they have said is folded for the next walk.
      if (found !== undefined) await journal.forget(found.ref, []);
      return undefined;
    }
    const paths = chunkPaths(frame);
    const { entries } = unpackFrame(frame, paths.length === 0 ? [] : await documents.get(paths));
    const forgotten: Gone[] = [];
    for (const entry of entries) {
      const found = await seen(entry.stream);
      if (found === undefined) return undefined;
      const fate = await fateOf(entry, found, policy);
      if (fate === 'stays') return undefined;
      if (fate === 'forgotten') forgotten.push({ ref: found.ref, key: objectKey(entry.namespace, entry.name) });
    }
    return { revisions: entries.length, forgotten };
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
    const known = new Map<string, Promise<Seen | undefined>>();
    const look: Look = (stream) => {
      let found = known.get(stream);
      if (found === undefined) known.set(stream, (found = see(stream)));
      return found;
    };
    const writes: Write[] = [];
    const forgotten = new Map<StreamRef, ObjectKey[]>();
    let removed = 0;
    for (const frame of frames) {
      if (frame.fields['expireAt'] !== undefined) continue;
      const verdict = await judge(frame, policy, look);
      if (verdict === undefined) continue;
      const expireAt = new Date(clock.now());
      for (const path of [frame.path, ...chunkPaths(frame)]) {
        const [document] = path === frame.path ? [frame] : await documents.get([path]);
        if (document !== undefined)
          writes.push({ kind: 'change', path, fields: { expireAt }, version: document.version });
      }
      for (const { ref, key } of verdict.forgotten) forgotten.set(ref, [...(forgotten.get(ref) ?? []), key]);
      removed += verdict.revisions;
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

interface Verdict {
  readonly revisions: number;
  readonly forgotten: readonly Gone[];
}

interface Seen {
  readonly ref: StreamRef;
  readonly view: View;
}

type Look = (stream: string) => Promise<Seen | undefined>;

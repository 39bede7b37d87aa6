// The revision log and the checkpoints in Firestore.
import type { Known } from '../../history/recent-states.ts';
import {
  compareObjectKeys,
  keyOf,
  type LastState,
  type ObjectKey,
  objectKey,
  type Revision,
} from '../../model/revision.ts';
import { type StreamRef, streamKey } from '../../model/stream.ts';
import type { CheckpointStore } from '../../ports/checkpoint-store.ts';
import type { RevisionLog } from '../../ports/revision-log.ts';
import type { Documents } from './documents.ts';
import { draftBatch, draftCheckpoint } from './draft.ts';
import { type Frames, revisionAt } from './frames.ts';
import type { View } from './head.ts';
import type { Journal } from './journal.ts';
import { streamId, tags } from './names.ts';
import type { Pages } from './pages.ts';

interface Parts {
  readonly documents: Documents;
  readonly journal: Journal;
  readonly frames: Frames;
  readonly pages: Pages;
}

/** Frames read at a time. */
const PAGE = 8;
/** Streams listed at a time. */
const MOST_LISTED = 1000;

export function firestoreLog({ documents, journal, frames, pages }: Parts): RevisionLog {
  /** Where reading on continues: of a stream, the last revision that was read and the position of its frame. */
  const reading = new Map<string, { readonly sequence: number; readonly position: number }>();

  async function startOf(ref: StreamRef, after: number): Promise<number> {
    const known = reading.get(streamKey(ref));
    if (after === 0) return 0;
    if (known !== undefined && known.sequence === after) return known.position;
    // Removed by retention: what is left is read from its start.
    return (await frames.positionOf(ref, after)) ?? (await frames.positionOf(ref, after + 1)) ?? 0;
  }

  async function list(cluster: string | undefined): Promise<readonly StreamRef[]> {
    const all: StreamRef[] = [];
    const where = cluster === undefined ? [] : [{ field: 'cluster', is: '==', value: cluster } as const];
    for (let after = ''; ; ) {
      const page = await documents.query({
        collection: 'streams',
        where: [...where, { field: 'key', is: '>', value: after }],
        orderBy: { field: 'key' },
        limit: MOST_LISTED,
        fields: ['ref', 'key'],
      });
      all.push(...page.map(({ fields }) => JSON.parse(String(fields['ref'])) as StreamRef));
      if (page.length < MOST_LISTED) return all;
      after = String(page.at(-1)?.fields['key']);
    }
  }

  return {
    async position(ref) {
      const view = await journal.view(ref, { sure: true });
      const { epoch = 0, sequence = 0, objects = 0, resourceVersion } = view?.head ?? {};
      return { epoch, sequence, objects, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
    },

    async append(ref, batch) {
      const { changes, fence } = batch;
      const drafted = await journal.submit(ref, {
        fence,
        keys: [...new Set(changes.map(({ namespace, name }) => objectKey(namespace, name)))],
        bytes: changes.reduce((sum, { object }) => sum + object.byteLength, 0),
        urgent: batch.resourceVersion === undefined || changes.length > 0,
        apply: (draft, states) => draftBatch(draft, batch, states),
      });
      return drafted.map(({ entry, object, position }) => {
        const { stream: _, ordinal: __, ...rest } = entry;
        return { ...rest, stream: ref, position, object };
      });
    },

    async read(ref, after, { changes, bytes }) {
      const view = await journal.view(ref);
      if (view === undefined || view.head.sequence <= after) return [];
      const stream = streamId(ref);
      const page: Revision[] = [];
      let size = 0;
      for (let from = await startOf(ref, after); ; ) {
        const found = await frames.tagged(tags.revisions(stream), from, PAGE);
        for (const frame of found) {
          const position = Number(frame.document.fields['position']);
          for (const [i, entry] of frame.entries.entries()) {
            if (entry.stream !== stream || entry.sequence <= after) continue;
            if (page.length > 0 && (page.length >= changes || size > bytes)) return page;
            const revision = revisionAt(frame, i, ref);
            page.push(revision);
            size += revision.object.byteLength;
            reading.set(streamKey(ref), { sequence: entry.sequence, position });
          }
          from = position + 1;
        }
        if (found.length < PAGE) return page;
      }
    },

    revision: (ref, sequence) => frames.revision(ref, sequence),

    revisionsOf: (ref, key) => frames.revisionsOf(ref, key),

    async lastStates(ref, after, limit) {
      const view = await journal.view(ref);
      return view === undefined ? [] : (await livePage(view, after, limit)).map(lastState);
    },

    async lastState(ref, key) {
      const view = await journal.view(ref);
      if (view === undefined) return undefined;
      const known = view.recent.get(key) ?? (await pages.lookup(view.table, [key])).get(key);
      return known && lastState(known);
    },

    // Never from memory: it is asked for when a cluster serves something else than before, and what is left out then has no end.
    async streams(cluster) {
      const refs = await list(cluster);
      return refs.toSorted((a, b) => (streamKey(a) < streamKey(b) ? -1 : 1));
    },
  };

  /** Live objects with key > `after`, in key order: of the pages, and of what is newer than they are. */
  async function livePage(view: View, after: ObjectKey | undefined, limit: number): Promise<readonly Known[]> {
    const from = after ?? ('' as ObjectKey);
    // Both at once: a fold that ends while a page is read moves states from here into pages that this table does not name.
    const { table } = view;
    const newer = view.recent.after(from);
    const stored: (readonly [ObjectKey, Known])[] = [];
    for (
      let place = Math.max(0, pages.placeOf(table, from));
      place < table.length && stored.length < limit;
      place += 1
    ) {
      for (const state of await pages.page(table, place)) {
        const key = keyOf(state);
        if (!state.deleted && compareObjectKeys(key, from) > 0 && !newer.has(key)) stored.push([key, state]);
      }
    }
    // What comes after the last page that was read comes after `limit` others, too.
    const live = [...newer].filter(([, { deleted }]) => !deleted);
    const merged = live.length === 0 ? stored : [...stored, ...live].sort(([a], [b]) => compareObjectKeys(a, b));
    return merged.slice(0, limit).map(([, state]) => state);
  }
}

export function firestoreCheckpoints({ journal }: Pick<Parts, 'journal'>): CheckpointStore {
  return {
    get: async (ref) => (await journal.view(ref, { sure: true }))?.head.checkpoint,
    compareAndSet: (ref, previous, next) =>
      journal.submit(ref, {
        fence: next.fence,
        keys: [],
        bytes: 0,
        urgent: false,
        apply: (draft) => draftCheckpoint(draft, previous, next),
      }),
  };
}

function lastState({ namespace, name, uid, resourceVersion, asOf, epoch, sequence, deleted }: Known): LastState {
  return { namespace, name, uid, resourceVersion, asOf, epoch, sequence, deleted };
}

// The one writer of a process: everything that any stream has to say goes into one chain of frames, several streams to a
// document, a commit at a time. An operation claims its stream where that is not ours (takeover.ts), reads what it needs to know of
// its objects, and joins a commit (commits.ts); what is lost meanwhile is claimed and read again.
import { Mk8sError } from '../../model/errors.ts';
import type { ObjectKey } from '../../model/revision.ts';
import { type StreamRef, streamKey } from '../../model/stream.ts';
import type { Clock } from '../../ports/clock.ts';
import { createCommits, type Operation, type Prepared } from './commits.ts';
import type { Document, Documents } from './documents.ts';
import { createFolding, type FoldLimits } from './folding.ts';
import { createFrameChain } from './frame-chain.ts';
import type { Frames } from './frames.ts';
import { readView, streamPath, type View } from './head.ts';
import { type Owned, ownedBy } from './owned.ts';
import type { Pages } from './pages.ts';
import { createTakeover } from './takeover.ts';

export interface Journal {
  /**
   * The stream as it stands: as this process wrote it, where it is the owner, else read anew. `sure`: another process may have
   * taken it over without our having heard of it, which one read tells. `read`: the stream's document, where the caller has just
   * read it.
   */
  view(ref: StreamRef, options?: { readonly sure?: boolean; readonly read?: Document }): Promise<View | undefined>;
  /**
   * Resolves when what `apply` did is durable, with its result. Operations on a stream take effect in call order. Throws
   * Mk8sError `fenced`, and what Documents throws: whether it happened is then unknown.
   */
  submit<T>(ref: StreamRef, operation: Operation<T>): Promise<T>;
  /**
   * Takes last states out of the pages: of objects whose last revision, a tombstone, is removed. Of a stream that this process does
   * not own, or that is being written, nothing. It folds the stream, also for no key.
   */
  forget(ref: StreamRef, keys: readonly ObjectKey[]): Promise<void>;
  /** Writes what is worth it, and ends. */
  close(): Promise<void>;
}

interface Slot {
  readonly ref: StreamRef;
  /** Preparations, in call order. */
  gate: Promise<void>;
  owned: Owned | undefined;
}

type Asked = Pick<Prepared, 'operation' | 'resolve' | 'reject'>;

export interface JournalOptions {
  readonly documents: Documents;
  readonly frames: Frames;
  readonly pages: Pages;
  readonly clock: Clock;
  /** A new name that nobody else has. */
  readonly makeId: () => string;
  /** Default: as folding.ts says. */
  readonly limits?: FoldLimits;
}

export function createJournal({ documents, frames, pages, clock, makeId, limits }: JournalOptions): Journal {
  const slots = new Map<string, Slot>();
  const chain = createFrameChain({ documents, clock, makeId });
  const claim = createTakeover({ documents, frames, clock, makeId });
  const folding = createFolding({ documents, pages, chain, clock, limits });
  const commits = createCommits({ chain, clock, committed: () => folding.foldIfMany(allOwned()) });
  let closed = false;

  function slotOf(ref: StreamRef): Slot {
    const key = streamKey(ref);
    let slot = slots.get(key);
    if (slot === undefined) slots.set(key, (slot = { ref, gate: Promise.resolve(), owned: undefined }));
    return slot;
  }

  function allOwned(): readonly Owned[] {
    return [...slots.values()].flatMap(({ owned }) => (chain.owns(owned) ? [owned] : []));
  }

  function enqueue(slot: Slot, asked: Asked): void {
    slot.gate = slot.gate.then(() => prepare(slot, asked));
  }

  async function prepare(slot: Slot, asked: Asked): Promise<void> {
    const { operation } = asked;
    try {
      for (;;) {
        const owned = await own(slot, operation.fence);
        folding.foldIfDue(owned);
        await owned.folding;
        owned.pending += 1;
        try {
          const unread = operation.keys.filter((key) => !owned.recent.has(key));
          const known = await pages.lookup(owned.table, unread);
          if (chain.owns(owned)) {
            commits.add({ ...asked, owned, known, again: () => enqueue(slot, asked) });
            return;
          }
        } catch (error) {
          owned.pending -= 1;
          throw error;
        }
      }
    } catch (error) {
      asked.reject(error);
    }
  }

  async function own(slot: Slot, fence: number): Promise<Owned> {
    if (chain.owns(slot.owned) && slot.owned.head.fence >= fence) return slot.owned;
    // What is on its way goes by the fence before.
    const { generation } = chain;
    const owned = ownedBy(generation, slot.ref, await claim(slot.ref, fence, chain.id));
    slot.owned = owned;
    return generation === chain.generation ? owned : await own(slot, fence);
  }

  async function isStillOurs(owned: Owned): Promise<boolean> {
    const [document] = await documents.get([streamPath(owned.ref)]);
    return document?.version === owned.version;
  }

  return {
    async view(ref, { sure = false, read } = {}) {
      const slot = slotOf(ref);
      const { owned } = slot;
      if (!chain.owns(owned)) return await readView(documents, frames, ref, read);
      await owned.folding;
      if (!sure || (await isStillOurs(owned))) return owned;
      if (slot.owned === owned) slot.owned = undefined;
      return await readView(documents, frames, ref);
    },
    submit<T>(ref: StreamRef, operation: Operation<T>): Promise<T> {
      if (closed)
        return Promise.reject(
          new Mk8sError(`Cannot record changes of "${streamKey(ref)}": the store is closed`, { code: 'storage' }),
        );
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      enqueue(slotOf(ref), { operation, resolve: resolve as (value: unknown) => void, reject });
      return promise;
    },
    async forget(ref, keys) {
      const { owned } = slotOf(ref);
      // Of others' streams the tombstones stay.
      if (!chain.owns(owned) || owned.pending > 0 || owned.folding !== undefined) return;
      await folding.forget(owned, keys);
    },
    async close() {
      closed = true;
      commits.hurry();
      await Promise.all([...slots.values()].map(({ gate }) => gate));
      await commits.idle();
      await folding.close(allOwned());
    },
  };
}

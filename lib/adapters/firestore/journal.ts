// The one writer of a process: everything that any stream has to say goes into one chain of frames, several streams to a
// document, a commit at a time. A change that comes alone costs one write; a hundred a second cost a tenth of one each.
//
// Promise 6. A frame is created under the number that follows the last one of its chain. Who takes a stream over *seals* the
// chain of the writer that the stream's document names: it creates the frame that would come next. So what that writer still
// sends is refused as a whole, wherever it was delayed; it then begins a new chain, and finds which streams it has lost.
// After an answer that never came, a writer does the same to itself: what is on its way can no longer take effect.
import { type Known, RecentStates } from '../../history/recent-states.ts';
import { Mk8sError } from '../../model/errors.ts';
import type { ObjectKey } from '../../model/revision.ts';
import { type StreamRef, streamKey } from '../../model/stream.ts';
import type { Clock } from '../../ports/clock.ts';
import { type Documents, Refused, type Write } from './documents.ts';
import { type Draft, draftOf, framesOf, hasNews } from './draft.ts';
import { type Frame, frameWrites } from './frame.ts';
import type { Frames } from './frames.ts';
import { displaced, parseStream, readView, streamFields, streamPath, unknown, type View, viewFrom } from './head.ts';
import { frameId } from './names.ts';
import type { Pages } from './pages.ts';

/** Between two commits at least, milliseconds: what comes meanwhile shares the next one. */
const LINGER_MS = 100;
/** So many times that long where nothing but positions moves: bookmarks of many streams share a frame. */
const PATIENCE = 10;
/** So many have waited long enough: a run that ends checkpoints all its streams at once. */
const ENOUGH = 16;
/** At the end of a run, folding may take so long, milliseconds: SIGTERM leaves 8 s for everything. */
const FOLD_AT_END_MS = 2_000;
/** Of one commit: Firestore takes 10 MiB, compressed. Its documents, with what is in chunks, stay far below 500. */
const MOST_GROUP = { bytes: 4 * 1024 * 1024, operations: 400 };
/** When states are folded into pages. */
export interface FoldLimits {
  /** States that have gathered of a stream. */
  readonly stream: number;
  /** Of all streams. */
  readonly all: number;
  /** Frames that would have to be read to know where a stream stands. */
  readonly frames: number;
}

const usualLimits: FoldLimits = { stream: 8_192, all: 16_384, frames: 128 };
/** At the end of a run, fewer frames than this are left to be read by the next one: a write costs three reads. */
const FEW_FRAMES = 4;
/** Of one commit of pages. */
const MOST_PAGES = 100;
const MOST_ATTEMPTS = 10;
/** Sealed chains are forgotten after this, milliseconds: nothing is delayed so long. */
const SEAL_LASTS_MS = 30 * 24 * 3_600_000;

/** What is asked of a stream that this process owns. */
interface Operation<T> {
  readonly fence: number;
  /** Of the objects whose last states it needs. */
  readonly keys: readonly ObjectKey[];
  /** Of the objects that it brings. */
  readonly bytes: number;
  /** False where it may wait a second for others. */
  readonly urgent: boolean;
  /** Changes the draft, or throws and leaves it as it was. */
  readonly apply: (draft: Draft, states: States) => T;
}

interface States {
  get(key: ObjectKey): Known | undefined;
}

export interface Journal {
  /**
   * The stream as it stands: as this process wrote it, where it is the owner, else read anew. `sure`: another process may have
   * taken it over without our having heard of it, which one read tells.
   */
  view(ref: StreamRef, options?: { readonly sure?: boolean }): Promise<View | undefined>;
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

interface Owned extends View {
  readonly ref: StreamRef;
  /** Of the writer that owns it. */
  readonly generation: number;
  version: string;
  head: View['head'];
  table: View['table'];
  frames: number;
  folded: number;
  /** Operations that are on their way. */
  pending: number;
  folding: Promise<void> | undefined;
}

interface Slot {
  readonly ref: StreamRef;
  /** Preparations, in call order. */
  gate: Promise<void>;
  owned: Owned | undefined;
}

interface Queued {
  readonly slot: Slot;
  readonly owned: Owned;
  readonly operation: Operation<unknown>;
  readonly known: ReadonlyMap<ObjectKey, Known>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface JournalOptions {
  readonly documents: Documents;
  readonly frames: Frames;
  readonly pages: Pages;
  readonly clock: Clock;
  /** A new name that nobody else has. */
  readonly makeId: () => string;
  /** Default: 8,192 of a stream, 16,384 of all, 128 frames. */
  readonly limits?: FoldLimits;
}

export function createJournal({
  documents,
  frames,
  pages,
  clock,
  makeId,
  limits = usualLimits,
}: JournalOptions): Journal {
  const slots = new Map<string, Slot>();
  const seals = new Map<string, Promise<void>>();
  /** Under way. */
  const foldings = new Set<Promise<void>>();
  let writer = { id: makeId(), number: 0, generation: 0, position: 0 };
  let queue: Queued[] = [];
  let committing: Promise<void> | undefined;
  let committedAt = 0;
  let closed = false;

  function slotOf(ref: StreamRef): Slot {
    const key = streamKey(ref);
    let slot = slots.get(key);
    if (slot === undefined) slots.set(key, (slot = { ref, gate: Promise.resolve(), owned: undefined }));
    return slot;
  }

  function isCurrent(owned: Owned | undefined): owned is Owned {
    return owned !== undefined && owned.generation === writer.generation;
  }

  /** All that is on its way can no longer take effect, once the streams are claimed anew. */
  function beginAnew(): void {
    writer = { id: makeId(), number: 0, generation: writer.generation + 1, position: writer.position };
  }

  async function prepare(queued: Pick<Queued, 'slot' | 'operation' | 'resolve' | 'reject'>): Promise<void> {
    const { slot, operation } = queued;
    try {
      for (;;) {
        const owned = await own(slot, operation.fence);
        if (isDue(owned) && owned.pending === 0) fold(owned);
        await owned.folding;
        owned.pending += 1;
        try {
          const unread = operation.keys.filter((key) => !owned.recent.has(key));
          const known = await pages.lookup(owned.table, unread);
          if (isCurrent(owned)) {
            queue.push({ ...queued, owned, known });
            committing ??= commitAll();
            return;
          }
        } catch (error) {
          owned.pending -= 1;
          throw error;
        }
      }
    } catch (error) {
      queued.reject(error);
    }
  }

  function enqueue(queued: Pick<Queued, 'slot' | 'operation' | 'resolve' | 'reject'>): void {
    const { slot } = queued;
    slot.gate = slot.gate.then(() => prepare(queued));
  }

  async function own(slot: Slot, fence: number): Promise<Owned> {
    if (isCurrent(slot.owned) && slot.owned.head.fence >= fence) return slot.owned;
    // What is on its way goes by the fence before.
    const { generation } = writer;
    const owned = await claim(slot.ref, fence);
    slot.owned = owned;
    return generation === writer.generation ? owned : await own(slot, fence);
  }

  async function claim(ref: StreamRef, fence: number): Promise<Owned> {
    const path = streamPath(ref);
    const { id, generation } = writer;
    for (let attempts = 1; ; attempts += 1) {
      try {
        const [document] = await documents.get([path]);
        if (document === undefined) {
          const head = { ...unknown, fence };
          const fields = streamFields(ref, id, head, []);
          const [version = ''] = await documents.commit([{ kind: 'create', path, fields }]);
          return ownedBy(generation, ref, version, {
            head,
            table: [],
            recent: new RecentStates(),
            frames: 0,
            folded: 0,
          });
        }
        const stream = parseStream(document);
        if (fence < stream.head.fence) throw displaced(ref, fence, stream.head.fence);
        if (stream.writer !== id) await seal(stream.writer);
        const head = { ...stream.head, fence };
        const fields = streamFields(ref, id, head, stream.table);
        const [version = ''] = await documents.commit([{ kind: 'change', path, fields, version: stream.version }]);
        return ownedBy(generation, ref, version, await viewFrom({ ...stream, head }, ref, frames));
      } catch (error) {
        if (!(error instanceof Refused) || attempts === MOST_ATTEMPTS) throw unexpected(error, ref);
      }
    }
  }

  async function isStillOurs(owned: Owned): Promise<boolean> {
    const [document] = await documents.get([streamPath(owned.ref)]);
    return document?.version === owned.version;
  }

  /** No frame follows in the chain of this writer any more. */
  function seal(chain: string): Promise<void> {
    let sealing = seals.get(chain);
    if (sealing === undefined) {
      sealing = sealChain(chain);
      seals.set(chain, sealing);
      // What failed is tried again by the next one who needs it.
      sealing.catch(() => seals.delete(chain));
    }
    return sealing;
  }

  async function sealChain(chain: string): Promise<void> {
    for (let attempts = 1; ; attempts += 1) {
      const [last] = await documents.query({
        collection: 'frames',
        where: [{ field: 'writer', is: '==', value: chain }],
        orderBy: { field: 'number', descending: true },
        limit: 1,
        fields: ['number', 'sealed'],
      });
      if (last?.fields['sealed'] === true) return;
      const number = Number(last?.fields['number'] ?? 0) + 1;
      const expireAt = new Date(clock.now() + SEAL_LASTS_MS);
      const fields = { writer: chain, number, sealed: true, nonce: makeId(), expireAt };
      try {
        await documents.commit([{ kind: 'create', path: `frames/${frameId(chain, number)}`, fields }]);
        return;
      } catch (error) {
        // Its owner was faster.
        if (!(error instanceof Refused) || attempts === MOST_ATTEMPTS) throw error;
      }
    }
  }

  async function commitAll(): Promise<void> {
    while (queue.length > 0) {
      const early = LINGER_MS - (clock.now() - committedAt);
      if (early > 0 && early <= LINGER_MS) await clock.sleep(early);
      for (let waits = 1; waits < PATIENCE && !isUrgent(); waits += 1) await clock.sleep(LINGER_MS);
      committedAt = clock.now();
      await commitGroup(takeGroup());
    }
    committing = undefined;
  }

  function isUrgent(): boolean {
    return closed || queue.length >= ENOUGH || queue.some(({ operation }) => operation.urgent);
  }

  function takeGroup(): readonly Queued[] {
    let bytes = 0;
    const end = queue.findIndex(({ operation }, i) => {
      bytes += operation.bytes;
      return i > 0 && (bytes > MOST_GROUP.bytes || i >= MOST_GROUP.operations);
    });
    const group = end < 0 ? queue : queue.slice(0, end);
    queue = end < 0 ? [] : queue.slice(end);
    return group;
  }

  /** Never throws: each operation gets what became of it. */
  async function commitGroup(group: readonly Queued[]): Promise<void> {
    const drafts = new Map<Owned, Draft>();
    const applied: { readonly queued: Queued; readonly value: unknown }[] = [];
    for (const queued of group) {
      const { owned, operation, known } = queued;
      if (!isCurrent(owned)) {
        enqueue(queued);
        continue;
      }
      const draft = drafts.get(owned) ?? draftOf(owned.ref, owned.head);
      drafts.set(owned, draft);
      const states = {
        get: (key: ObjectKey) => draft.states.get(key) ?? owned.recent.get(key) ?? known.get(key),
      };
      try {
        applied.push({ queued, value: operation.apply(draft, states) });
      } catch (error) {
        owned.pending -= 1;
        queued.reject(error);
      }
    }
    if (applied.length === 0) return;
    try {
      const position = Math.max(writer.position, clock.now() * 1024);
      const made = framesOf([...drafts.values()].filter(hasNews), {
        writer: writer.id,
        number: writer.number + 1,
        position,
      });
      await write(made);
      for (const [owned, draft] of drafts) settle(owned, draft, made);
      writer.number += made.length;
      writer.position = made.reduce(
        (most, frame) => Math.max(most, frame.position + frame.entries.length + 1),
        position,
      );
    } catch (error) {
      if (error instanceof Refused) {
        // Somebody took over a stream of ours, maybe not one of these.
        if (isCurrent(applied[0]?.queued.owned)) beginAnew();
        for (const { queued } of applied) enqueue(queued);
      } else {
        beginAnew();
        for (const { queued } of applied) queued.reject(error);
      }
      return;
    }
    for (const { queued, value } of applied) {
      queued.owned.pending -= 1;
      queued.resolve(value);
    }
    foldIfMany();
  }

  async function write(made: readonly Omit<Frame, 'nonce'>[]): Promise<void> {
    if (made.length === 0) return;
    const nonce = makeId();
    try {
      await documents.commit(made.flatMap((frame) => frameWrites({ ...frame, nonce })));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // Google's library asks again by itself after an answer that never came: then the frame that is in the way is ours.
      const first = made[0] as Frame;
      const [found] = await documents.get([`frames/${frameId(first.writer, first.number)}`]);
      if (found?.fields['nonce'] !== nonce) throw error;
    }
  }

  function settle(owned: Owned, draft: Draft, made: readonly Omit<Frame, 'nonce'>[]): void {
    owned.head = draft.head;
    for (const [key, state] of draft.states) owned.recent.set(key, state);
    const own = made.filter(({ parts }) => parts.some(({ stream }) => stream === draft.stream));
    owned.frames += own.length;
    const last = own.at(-1);
    if (last !== undefined) owned.head = { ...draft.head, position: last.position + last.entries.length + 1 };
  }

  function isDue({ recent, frames: count }: Owned): boolean {
    return recent.size >= limits.stream || count >= limits.frames;
  }

  /** The largest first; those with operations on their way come when these are done. */
  function foldIfMany(): void {
    const all = [...slots.values()].flatMap(({ owned }) => (isCurrent(owned) ? [owned] : []));
    let recent = all.reduce((sum, owned) => sum + owned.recent.size, 0);
    for (const owned of all.toSorted((a, b) => b.recent.size - a.recent.size)) {
      if (!isDue(owned) && recent <= limits.all) continue;
      recent -= owned.recent.size;
      if (owned.pending === 0 && owned.folding === undefined) fold(owned);
    }
  }

  /** Who needs the stream next waits for it, and hears of its failure. */
  function fold(owned: Owned): void {
    if (owned.folding !== undefined) return;
    begin(owned, new Map(owned.recent.entries())).catch(() => {
      // Told to who waits; nothing is lost, for the frames are there.
    });
  }

  function begin(owned: Owned, states: ReadonlyMap<ObjectKey, Known | undefined>): Promise<void> {
    const folding = writePages(owned, states).finally(() => {
      owned.folding = undefined;
      foldings.delete(folding);
    });
    owned.folding = folding;
    foldings.add(folding);
    return folding;
  }

  async function writePages(owned: Owned, states: ReadonlyMap<ObjectKey, Known | undefined>): Promise<void> {
    const { table, writes, obsolete } = await pages.fold(owned.table, states);
    await inParts(writes);
    const path = streamPath(owned.ref);
    const fields = streamFields(owned.ref, writer.id, owned.head, table);
    try {
      if (!isCurrent(owned)) return;
      const [version = ''] = await documents.commit([{ kind: 'change', path, fields, version: owned.version }]);
      Object.assign(owned, { version, table, frames: 0, folded: owned.head.position });
      owned.recent.clear();
    } catch (error) {
      // Taken over, or not known to be written: it is read anew.
      if (isCurrent(owned)) beginAnew();
      throw unexpected(error, owned.ref);
    }
    await inParts(obsolete.map((old): Write => ({ kind: 'delete', path: old })));
  }

  async function inParts(writes: readonly Write[]): Promise<void> {
    for (let from = 0; from < writes.length; from += MOST_PAGES) {
      await documents.commit(writes.slice(from, from + MOST_PAGES));
    }
  }

  return {
    async view(ref, { sure = false } = {}) {
      const slot = slotOf(ref);
      const { owned } = slot;
      if (!isCurrent(owned)) return await readView(documents, frames, ref);
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
      enqueue({ slot: slotOf(ref), operation, resolve: resolve as (value: unknown) => void, reject });
      return promise;
    },
    async forget(ref, keys) {
      const slot = slotOf(ref);
      const { owned } = slot;
      // Of others' streams the tombstones stay.
      if (!isCurrent(owned) || owned.pending > 0 || owned.folding !== undefined) return;
      const states = new Map<ObjectKey, Known | undefined>(owned.recent.entries());
      for (const key of keys) states.set(key, undefined);
      await begin(owned, states);
    },
    async close() {
      closed = true;
      await Promise.all([...slots.values()].map(({ gate }) => gate));
      await committing;
      const all = [...slots.values()].flatMap(({ owned }) => (isCurrent(owned) ? [owned] : []));
      const worth = all.filter(({ frames: count }) => count >= FEW_FRAMES);
      for (const owned of worth) fold(owned);
      // Those that were under way, too: they delete what is not needed any more. What fails, or is not done by then, is read from
      // the frames by the next run.
      const over = new AbortController();
      const late = clock.sleep(FOLD_AT_END_MS, over.signal).catch(() => undefined);
      await Promise.race([late, Promise.allSettled(foldings)]);
      over.abort(new Error('folded'));
    },
  };
}

function ownedBy(generation: number, ref: StreamRef, version: string, view: View): Owned {
  return { ...view, ref, generation, version, pending: 0, folding: undefined };
}

/** A condition that did not hold is ours to deal with; where that did not help, it is worth another attempt later. */
function unexpected(error: unknown, ref: StreamRef): unknown {
  if (!(error instanceof Refused)) return error;
  return new Mk8sError(`Cannot write stream "${streamKey(ref)}" in Firestore: another process writes it, too`, {
    code: 'storage',
    retryable: true,
    cause: error,
  });
}

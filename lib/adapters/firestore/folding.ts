// Folding: last states that have gathered in memory are written into pages, and the stream's document says so; the frames before
// need not be read any more to know where the stream stands. It goes on beside everything else, and a failure loses nothing, for
// the frames are there.
import type { Known } from '../../history/recent-states.ts';
import type { ObjectKey } from '../../model/revision.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Documents, Write } from './documents.ts';
import type { FrameChain } from './frame-chain.ts';
import { contested, streamFields, streamPath, type View } from './head.ts';
import type { Owned } from './owned.ts';
import type { Pages } from './pages.ts';

/** At the end of a run, folding may take so long, milliseconds: SIGTERM leaves 8 s for everything. */
const FOLD_AT_END_MS = 2_000;
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

/** What has gathered of a stream since it was folded. */
type Gathered = Pick<View, 'frames'> & { readonly recent: Pick<View['recent'], 'size'> };

/** True where enough has gathered of this stream alone. */
function isDue({ recent, frames }: Gathered, limits: FoldLimits): boolean {
  return recent.size >= limits.stream || frames >= limits.frames;
}

/** Those that are due, and so many of the largest that what is left of all is within the limit; the largest first. */
export function dueOf<T extends Gathered>(streams: readonly T[], limits: FoldLimits): readonly T[] {
  let left = streams.reduce((sum, { recent }) => sum + recent.size, 0);
  return streams
    .toSorted((a, b) => b.recent.size - a.recent.size)
    .filter((stream) => {
      if (!isDue(stream, limits) && left <= limits.all) return false;
      left -= stream.recent.size;
      return true;
    });
}

export interface Folding {
  /** The stream, where it is due and idle. */
  foldIfDue(owned: Owned): void;
  /** Whatever is due of these; those with operations on their way come when these are done. */
  foldIfMany(owned: readonly Owned[]): void;
  /** Folds with these keys taken out. The stream must be idle: nothing on its way, and not being folded. */
  forget(owned: Owned, keys: readonly ObjectKey[]): Promise<void>;
  /** Folds what is worth it at the end of a run, for a while; waits also for what is under way. */
  close(owned: readonly Owned[]): Promise<void>;
}

interface FoldingOptions {
  readonly documents: Documents;
  readonly pages: Pages;
  readonly chain: FrameChain;
  readonly clock: Clock;
  /** Default: 8,192 of a stream, 16,384 of all, 128 frames. */
  readonly limits?: FoldLimits | undefined;
}

export function createFolding({ documents, pages, chain, clock, limits = usualLimits }: FoldingOptions): Folding {
  const underWay = new Set<Promise<void>>();

  /** Who needs the stream next waits for it, and hears of its failure. */
  function fold(owned: Owned): void {
    if (owned.folding !== undefined) return;
    begin(owned, new Map(owned.recent.entries())).catch(() => {
      // Told to who waits; nothing is lost, for the frames are there.
    });
  }

  function begin(owned: Owned, states: ReadonlyMap<ObjectKey, Known | undefined>): Promise<void> {
    const folding = write(owned, states).finally(() => {
      owned.folding = undefined;
      underWay.delete(folding);
    });
    owned.folding = folding;
    underWay.add(folding);
    return folding;
  }

  async function write(owned: Owned, states: ReadonlyMap<ObjectKey, Known | undefined>): Promise<void> {
    const { table, writes, obsolete } = await pages.fold(owned.table, states);
    await inParts(writes);
    const path = streamPath(owned.ref);
    const fields = streamFields(owned.ref, chain.id, owned.head, table);
    try {
      if (!chain.owns(owned)) return;
      const [version = ''] = await documents.commit([{ kind: 'change', path, fields, version: owned.version }]);
      Object.assign(owned, { version, table, frames: 0, folded: owned.head.position });
      owned.recent.clear();
    } catch (error) {
      // Taken over, or not known to be written: it is read anew.
      if (chain.owns(owned)) chain.beginAnew();
      throw contested(error, owned.ref);
    }
    await inParts(obsolete.map((old): Write => ({ kind: 'delete', path: old })));
  }

  async function inParts(writes: readonly Write[]): Promise<void> {
    for (let from = 0; from < writes.length; from += MOST_PAGES) {
      await documents.commit(writes.slice(from, from + MOST_PAGES));
    }
  }

  return {
    foldIfDue(owned) {
      if (isDue(owned, limits) && owned.pending === 0) fold(owned);
    },
    foldIfMany(streams) {
      for (const owned of dueOf(streams, limits)) if (owned.pending === 0) fold(owned);
    },
    async forget(owned, keys) {
      const states = new Map<ObjectKey, Known | undefined>(owned.recent.entries());
      for (const key of keys) states.set(key, undefined);
      await begin(owned, states);
    },
    async close(streams) {
      for (const owned of streams) if (owned.frames >= FEW_FRAMES) fold(owned);
      // Those that were under way, too: they delete what is not needed any more. What fails, or is not done by then, is read from
      // the frames by the next run.
      const over = new AbortController();
      const late = clock.sleep(FOLD_AT_END_MS, over.signal).catch(() => undefined);
      await Promise.race([late, Promise.allSettled(underWay)]);
      over.abort(new Error('folded'));
    },
  };
}

// What waits for the next commit, and the commits: several streams' operations share one. A change that comes alone costs one write;
// a hundred a second cost a tenth of one each.
import type { Known } from '../../history/recent-states.ts';
import type { ObjectKey } from '../../model/revision.ts';
import type { Clock } from '../../ports/clock.ts';
import { Refused } from './documents.ts';
import { type Draft, draftOf } from './draft.ts';
import type { FrameChain } from './frame-chain.ts';
import { type Owned, settle } from './owned.ts';

/** Between two commits at least, milliseconds: what comes meanwhile shares the next one. */
const LINGER_MS = 100;
/** So many times that long where nothing but positions moves: bookmarks of many streams share a frame. */
const PATIENCE = 10;
/** So many have waited long enough: a run that ends checkpoints all its streams at once. */
const ENOUGH = 16;
/** Of one commit: Firestore takes 10 MiB, compressed. Its documents, with what is in chunks, stay far below 500. */
const MOST_GROUP = { bytes: 4 * 1024 * 1024, operations: 400 };

/** What is asked of a stream that this process owns. */
export interface Operation<T> {
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

/** An operation on a stream that is ours, with what is stored of its objects. */
export interface Prepared {
  readonly owned: Owned;
  readonly operation: Operation<unknown>;
  readonly known: ReadonlyMap<ObjectKey, Known>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Prepares it once more: the stream was lost, or may have been. */
  readonly again: () => void;
}

export interface Commits {
  /** It is part of one of the next commits, after what was added before. */
  add(prepared: Prepared): void;
  /** From now on nothing waits for others. */
  hurry(): void;
  /** Resolves when nothing waits. */
  idle(): Promise<void>;
}

interface CommitsOptions {
  readonly chain: FrameChain;
  readonly clock: Clock;
  /** Called after each commit. */
  readonly committed: () => void;
}

export function createCommits({ chain, clock, committed }: CommitsOptions): Commits {
  let queue: Prepared[] = [];
  let committing: Promise<void> | undefined;
  let committedAt = 0;
  let inHurry = false;

  async function commitAll(): Promise<void> {
    while (queue.length > 0) {
      const early = LINGER_MS - (clock.now() - committedAt);
      if (early > 0 && early <= LINGER_MS) await clock.sleep(early);
      for (let waits = 1; waits < PATIENCE && !isUrgent(); waits += 1) await clock.sleep(LINGER_MS);
      committedAt = clock.now();
      const end = groupEnd(queue.map(({ operation }) => operation));
      const group = queue.slice(0, end);
      queue = queue.slice(end);
      await commit(group);
    }
    committing = undefined;
  }

  function isUrgent(): boolean {
    return inHurry || queue.length >= ENOUGH || queue.some(({ operation }) => operation.urgent);
  }

  /** Never throws: each operation gets what became of it. */
  async function commit(group: readonly Prepared[]): Promise<void> {
    for (const { owned, again } of group) if (!chain.owns(owned)) again();
    const { drafts, applied, refused } = draftAll(group.filter(({ owned }) => chain.owns(owned)));
    for (const { prepared, error } of refused) {
      prepared.owned.pending -= 1;
      prepared.reject(error);
    }
    if (applied.length === 0) return;
    try {
      const made = await chain.append([...drafts.values()]);
      for (const [owned, draft] of drafts) settle(owned, draft, made);
    } catch (error) {
      fail(applied, error);
      return;
    }
    for (const { prepared, value } of applied) {
      prepared.owned.pending -= 1;
      prepared.resolve(value);
    }
    committed();
  }

  function fail(applied: readonly Applied[], error: unknown): void {
    if (error instanceof Refused) {
      // Somebody took over a stream of ours, maybe not one of these.
      if (chain.owns(applied[0]?.prepared.owned)) chain.beginAnew();
      for (const { prepared } of applied) prepared.again();
    } else {
      chain.beginAnew();
      for (const { prepared } of applied) prepared.reject(error);
    }
  }

  return {
    add(prepared) {
      queue.push(prepared);
      committing ??= commitAll();
    },
    hurry() {
      inHurry = true;
    },
    async idle() {
      await committing;
    },
  };
}

/** How many of these, in order, share a commit: at least one. */
export function groupEnd(waiting: readonly Pick<Operation<unknown>, 'bytes'>[]): number {
  let bytes = 0;
  const end = waiting.findIndex((operation, i) => {
    bytes += operation.bytes;
    return i > 0 && (bytes > MOST_GROUP.bytes || i >= MOST_GROUP.operations);
  });
  return end < 0 ? waiting.length : end;
}

interface Applied {
  readonly prepared: Prepared;
  readonly value: unknown;
}

interface DraftedGroup {
  readonly drafts: ReadonlyMap<Owned, Draft>;
  readonly applied: readonly Applied[];
  readonly refused: readonly { readonly prepared: Prepared; readonly error: unknown }[];
}

/** Works out in memory what a commit does: each operation sees what those before it did to its stream. */
export function draftAll(group: readonly Prepared[]): DraftedGroup {
  const drafts = new Map<Owned, Draft>();
  const applied: Applied[] = [];
  const refused: { readonly prepared: Prepared; readonly error: unknown }[] = [];
  for (const prepared of group) {
    const { owned, operation, known } = prepared;
    const draft = drafts.get(owned) ?? draftOf(owned.ref, owned.head);
    drafts.set(owned, draft);
    const states = {
      get: (key: ObjectKey) => draft.states.get(key) ?? owned.recent.get(key) ?? known.get(key),
    };
    try {
      applied.push({ prepared, value: operation.apply(draft, states) });
    } catch (error) {
      refused.push({ prepared, error });
    }
  }
  return { drafts, applied, refused };
}

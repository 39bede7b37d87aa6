// The newest last states of one stream, by key and in key order. A comparison walks over all keys a page at a time, and must
// not look through everything here for each of them.
import { compareObjectKeys, type LastState, type ObjectKey, type Observed } from '../model/revision.ts';

/** A last state, and how many revisions its object had. */
export interface Known extends LastState {
  readonly ordinal: number;
}

/** The last state that a revision makes. */
export function knownFrom(revision: Omit<Known, 'deleted'> & Pick<Observed, 'type'>): Known {
  const { namespace, name, uid, resourceVersion, asOf, epoch, sequence, ordinal, type } = revision;
  return { namespace, name, uid, resourceVersion, asOf, epoch, sequence, ordinal, deleted: type === 'delete' };
}

/** Keys that wait to be sorted in: looked through for each page, so few. */
const MOST_UNSORTED = 1024;

export class RecentStates {
  private readonly states = new Map<ObjectKey, Known>();
  private sorted: ObjectKey[] = [];
  private unsorted: ObjectKey[] = [];

  get size(): number {
    return this.states.size;
  }

  get(key: ObjectKey): Known | undefined {
    return this.states.get(key);
  }

  has(key: ObjectKey): boolean {
    return this.states.has(key);
  }

  set(key: ObjectKey, state: Known): void {
    if (!this.states.has(key)) this.unsorted.push(key);
    this.states.set(key, state);
  }

  /** In no order. */
  entries(): IterableIterator<[ObjectKey, Known]> {
    return this.states.entries();
  }

  clear(): void {
    this.states.clear();
    this.sorted = [];
    this.unsorted = [];
  }

  /** Forgets states up to a sequence number. */
  dropThrough(sequence: number): void {
    for (const [key, state] of this.states) if (state.sequence <= sequence) this.states.delete(key);
    this.sorted = [];
    this.unsorted = [...this.states.keys()];
  }

  /** All keys in key order. */
  keys(): readonly ObjectKey[] {
    if (this.unsorted.length > 0) {
      // Two runs in order are merged, not sorted anew.
      this.sorted = [...this.sorted, ...this.unsorted.sort(compareObjectKeys)].sort(compareObjectKeys);
      this.unsorted = [];
    }
    return this.sorted;
  }

  /** States with key > `after`, tombstones included, in no order: as they are now, whatever comes later. */
  after(key: ObjectKey): ReadonlyMap<ObjectKey, Known> {
    return new Map([...this.states].filter(([other]) => compareObjectKeys(other, key) > 0));
  }

  /** Live states with `after` < key <= `until` (undefined: to the end), in key order. */
  liveBetween(after: ObjectKey, until: ObjectKey | undefined): [ObjectKey, Known][] {
    if (this.unsorted.length > MOST_UNSORTED) this.keys();
    const live: [ObjectKey, Known][] = [];
    const take = (key: ObjectKey): void => {
      const state = this.states.get(key);
      if (state !== undefined && !state.deleted) live.push([key, state]);
    };
    const isBefore = (key: ObjectKey): boolean => until === undefined || compareObjectKeys(key, until) <= 0;
    for (let i = this.firstAfter(after); i < this.sorted.length; i++) {
      const key = this.sorted[i] as ObjectKey;
      if (!isBefore(key)) break;
      take(key);
    }
    const known = live.length;
    for (const key of this.unsorted) if (compareObjectKeys(key, after) > 0 && isBefore(key)) take(key);
    return live.length === known ? live : live.sort(([a], [b]) => compareObjectKeys(a, b));
  }

  /** The place in `sorted` of the first key after this one. */
  private firstAfter(key: ObjectKey): number {
    let from = 0;
    let to = this.sorted.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (compareObjectKeys(this.sorted[middle] as ObjectKey, key) > 0) to = middle;
      else from = middle + 1;
    }
    return from;
  }
}

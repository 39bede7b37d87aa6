// The watch cache's memory of one resource: its last events in order of resourceVersion. Watches read it by position,
// so a slow one needs no queue of its own; when the ring has passed it, it is cut off.
import type { ObjectVersion } from './object.ts';

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

export interface StoreEvent {
  readonly type: EventType;
  readonly revision: number;
  /** The new state; for DELETED the last one, under the deletion's resourceVersion. */
  readonly object: ObjectVersion;
  /** The state before; absent for ADDED. */
  readonly previous?: ObjectVersion;
}

export class History {
  /** Every event after this resourceVersion is here; older ones may be gone. */
  floor: number;
  readonly #limit: number;
  #events: StoreEvent[] = [];
  /** Position of #events[0]; positions count from 0 and never repeat. */
  #first = 0;

  constructor(floor: number, limit: number) {
    this.floor = floor;
    this.#limit = limit;
  }

  get first(): number {
    return this.#first;
  }

  get end(): number {
    return this.#first + this.#events.length;
  }

  append(event: StoreEvent): void {
    this.#events.push(event);
    // Trimmed a quarter at a time: removing from the front of an array is not free.
    if (this.#events.length > this.#limit * 1.25) this.#drop(this.#events.length - this.#limit);
  }

  at(position: number): StoreEvent | undefined {
    return this.#events[position - this.#first];
  }

  /** Position of the first event with a greater resourceVersion. */
  after(revision: number): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.revision ?? 0) > revision) high = middle;
      else low = middle + 1;
    }
    return this.#first + low;
  }

  /** Forgets everything up to and including `revision`. */
  compact(revision: number): void {
    this.#drop(this.after(revision) - this.#first);
    this.floor = Math.max(this.floor, revision);
  }

  /** Forgets everything after `revision`, as a restored backup does. The position of the end stays where it was. */
  rewind(revision: number): void {
    const end = this.end;
    this.#events.length = this.after(revision) - this.#first;
    this.#first = end - this.#events.length;
  }

  /** Events with a greater resourceVersion, newest first. */
  *backwards(revision: number): Generator<StoreEvent> {
    for (let index = this.#events.length - 1; index >= 0; index--) {
      const event = this.#events[index];
      if (event === undefined || event.revision <= revision) return;
      yield event;
    }
  }

  #drop(count: number): void {
    if (count <= 0) return;
    const removed = this.#events.splice(0, count);
    this.#first += removed.length;
    this.floor = Math.max(this.floor, removed.at(-1)?.revision ?? 0);
  }
}

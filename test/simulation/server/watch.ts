// One open watch of an API server: a cursor in the timeline of one resource, and what it sends of it.
import type { Dice } from '../random.ts';
import type { Sink } from './answers.ts';
import type { ApiProcess, Serving } from './api-process.ts';
import type { FaultDice } from './fault-dice.ts';
import type { Selection } from './selectors.ts';
import { groupVersion, metadataText, nameOf, objectText, type SimObject } from './sim-object.ts';
import type { Store, StoreEvent, Table } from './store.ts';
import type { After } from './timers.ts';

/** Events that wait for a reader before its watch is ended: cacher.go gives up on a watcher that blocks. */
const MOST_WAITING = 100;

export interface WatchOptions {
  readonly process: ApiProcess;
  readonly serving: Serving;
  readonly version: string;
  readonly selection: Selection;
  readonly metadataOnly: boolean;
  readonly bookmarks: boolean;
  /** Only what is newer is sent, also where that is far in the future. */
  readonly after: number;
  readonly timeoutMs: number;
}

export interface WatchWorld {
  readonly store: Store;
  readonly dice: Dice;
  readonly faults: FaultDice;
  readonly after: After;
  readonly count: (what: string) => void;
}

export class Watch {
  readonly table: Table;
  readonly #options: WatchOptions;
  readonly #world: WatchWorld;
  readonly #sink: Sink;
  /** Index of the next event in the table. */
  #cursor: number;
  /** Of the last event passed or bookmark sent: bookmarks never go back. */
  #position: number;
  #over = false;
  #cancels: (() => void)[] = [];
  readonly #endsIn: number;

  /** Begins at the events after `after` that the process knows or will know. */
  constructor(options: WatchOptions, world: WatchWorld, sink: Sink) {
    this.#options = options;
    this.#world = world;
    this.#sink = sink;
    this.table = options.serving.table;
    this.#position = options.after;
    const { events } = this.table;
    const first = events.findIndex(({ object }) => object.rv > options.after);
    this.#cursor = first < 0 ? events.length : first;
    this.#endsIn = options.timeoutMs;
    options.process.watches.add(this);
    sink.attach({ drained: () => this.pump(), closed: () => this.#stop() });
    this.#later(options.timeoutMs, () => this.end());
    if (options.bookmarks) this.#planBookmarks();
  }

  /** Sends what can be sent. */
  pump(): void {
    const { process, after } = this.#options;
    const { events } = this.table;
    const known = process.known(this.table);
    while (!this.#over && this.#cursor < known && this.#sink.writable) {
      const event = events[this.#cursor] as StoreEvent;
      this.#cursor += 1;
      this.#position = Math.max(this.#position, event.object.rv);
      if (event.object.rv > after) this.#sendEvent(event);
    }
    if (this.#over || known - this.#cursor <= MOST_WAITING) return;
    this.#world.count('stream.slowReader');
    this.end();
  }

  /** Ends it as timeoutSeconds does, and a changed definition. */
  end(): void {
    if (this.#over) return;
    this.#stop();
    this.#sink.end();
  }

  /** An ERROR event, then the end. */
  fail(line: string): void {
    if (this.#over) return;
    this.#stop();
    this.#sink.send(line);
    this.#sink.end();
  }

  /** A bookmark, where the cache moved past the start and nothing is undelivered (KUBERNETES 8). */
  bookmark(): boolean {
    const { process, after } = this.#options;
    const { events } = this.table;
    if (this.#over || this.#cursor < process.known(this.table) || !this.#sink.writable) return false;
    // What a process that is behind has not seen it does not know the rv of.
    const progress = this.#cursor < events.length || process.isBehind ? 0 : this.#world.store.progress;
    this.#position = Math.max(this.#position, progress);
    if (this.#position <= after) return false;
    this.#sendBookmark(this.#position);
    return true;
  }

  /** The objects there are, as ADDED, then the mark (recording 50-watch/watchlist-cluster). */
  sendInitial(objects: readonly SimObject[], markAt: number | undefined): void {
    const { faults } = this.#world;
    const early = markAt !== undefined ? faults.strikes('watch', 'bookmarkEarly')?.int(objects.length + 1) : undefined;
    for (const [index, object] of objects.entries()) {
      if (index === early) this.#sendBookmark(markAt ?? 0);
      this.#send('ADDED', object, object.rv, 'listed');
    }
    if (markAt === undefined) return;
    this.#position = Math.max(this.#position, markAt);
    this.#sendBookmark(markAt, true);
  }

  /** Sorted keys for custom resources; built-in ones have an empty spec and status, too (recordings 50-watch). */
  #sendBookmark(rv: number, isMark = false): void {
    const { serving, version, metadataOnly } = this.#options;
    const { kind, origin } = serving.resource;
    const type = groupVersion(serving.resource, version);
    const mark = '"annotations":{"k8s.io/initial-events-end":"true"}';
    const own = `"resourceVersion":"${rv}"`;
    const metadata = `"metadata":{${isMark ? `${own},${mark}` : own}}`;
    const object = metadataOnly
      ? `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1",${metadata}}`
      : origin === 'built-in'
        ? `{"kind":"${kind}","apiVersion":"${type}",${metadata}${kind === 'Secret' ? '' : ',"spec":{},"status":{}'}}`
        : `{"apiVersion":"${type}","kind":"${kind}","metadata":{${isMark ? `${mark},${own}` : own}}}`;
    this.#world.count('stream.bookmark');
    this.#sink.send(`{"type":"BOOKMARK","object":${object}}\n`);
  }

  /** Leaving a selector is told as DELETED with the state before, returning as ADDED (KUBERNETES 6). */
  #sendEvent({ type, object, previous }: StoreEvent): void {
    const { matches } = this.#options.selection;
    const was = previous !== undefined && matches(previous);
    const is = type !== 'DELETED' && matches(object);
    if (is) this.#send(was ? 'MODIFIED' : 'ADDED', object, object.rv);
    else if (was) this.#send('DELETED', previous, object.rv);
    else return;
    this.#world.count('stream.event');
  }

  #send(type: StoreEvent['type'], object: SimObject, rv: number, how: 'event' | 'listed' = 'event'): void {
    const { metadataOnly, version } = this.#options;
    const text = metadataOnly ? metadataText(object, rv) : objectText(object, version, true, rv);
    const what = `${nameOf(object.resource)} ${object.uid} ${rv}`;
    this.#sink.send(`{"type":"${type}","object":${text}}\n`, { how, what: how === 'event' ? `${what} ${type}` : what });
  }

  /** About each minute, about 2 s and 1 s before the end, sometimes soon after the start (KUBERNETES 8). */
  #planBookmarks(): void {
    const { dice } = this.#world;
    if (dice.chance(0.3)) this.#later(1_000 + dice.int(500), () => this.#regularBookmark());
    for (const before of [2_000, 1_000]) {
      if (this.#endsIn > before) this.#later(this.#endsIn - before - dice.int(100), () => this.#regularBookmark());
    }
    this.#eachMinute();
  }

  #eachMinute(): void {
    this.#later(60_000 + this.#world.dice.int(15_000), () => {
      this.#regularBookmark();
      this.#eachMinute();
    });
  }

  #regularBookmark(): void {
    const { faults } = this.#world;
    if (faults.strikes('watch', 'bookmarkMissing') !== undefined) return;
    const late = faults.strikes('watch', 'bookmarkLate');
    if (late !== undefined) return this.#later(1 + late.int(20_000), () => this.bookmark());
    if (this.bookmark() && faults.strikes('watch', 'bookmarkRepeated') !== undefined) this.bookmark();
  }

  #later(ms: number, act: () => void): void {
    const cancel = this.#world.after(ms, () => {
      this.#cancels = this.#cancels.filter((other) => other !== cancel);
      if (!this.#over) act();
    });
    this.#cancels.push(cancel);
  }

  #stop(): void {
    this.#over = true;
    this.#options.process.watches.delete(this);
    for (const cancel of this.#cancels) cancel();
    this.#cancels = [];
  }
}

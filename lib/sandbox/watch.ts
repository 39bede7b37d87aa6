// A watch: the lines of one stream, pulled by its socket. It reads the collection's history by position, so it holds no
// queue; a reader so slow that history has moved past it is cut off.
import type { Collection } from './collection.ts';
import type { StoreEvent } from './history.ts';
import { encode } from './json.ts';
import type { WatchOptions } from './list-options.ts';
import { type ObjectVersion, withRevision } from './object.ts';
import type { Matcher } from './selectors.ts';
import { ApiError, expired, tooLargeRevision } from './status.ts';
import type { View } from './view.ts';
import { Waker } from './wake.ts';

export interface WatchSettings {
  /** Between bookmarks on a long watch, in milliseconds. */
  readonly bookmarkInterval: number;
  /** How long a watch list waits for a resourceVersion of the future, in milliseconds. */
  readonly futureTimeout: number;
  /** Whether a watch without resourceVersion also marks the end of its initial events, as servers with streaming lists do. */
  readonly marksLegacy: boolean;
  readonly now: () => number;
  /** The store's present resourceVersion. */
  readonly present: () => number;
}

/** A piece of about this many characters is written at once. */
const pieceSize = 65_536;

/** The stream's lines, several to a piece. It ends cleanly at its timeout, when the resource changes, or by `signal`. */
export async function* watchLines(
  collection: Collection,
  options: WatchOptions,
  matches: Matcher,
  view: View,
  settings: WatchSettings,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const waker = new Waker();
  const wake = (): void => waker.wake();
  let ended = false;
  const end = (): void => {
    ended = true;
    waker.wake();
  };
  const over = (): boolean => ended || signal.aborted;
  collection.listeners.add(wake);
  collection.watches.add(end);
  signal.addEventListener('abort', wake);
  try {
    const start = begin(collection, options, settings);
    if (start.error !== undefined) {
      yield errorLine(start.error);
      return;
    }
    if (start.future && options.initialEvents === true) {
      await waitFor(start.from, settings, over);
      if (settings.present() < start.from) {
        yield errorLine(tooLargeRevision(start.from, settings.present()));
        return;
      }
    }
    let position = start.from === -1 ? collection.history.end : collection.history.after(start.from);
    const schedule = new Bookmarks(options, settings);
    let known = settings.present();
    if (start.initial) {
      position = collection.history.end;
      yield* pieces(collection.current(), (object) => (matches(object) ? line('ADDED', view.event(object)) : ''));
      if (options.bookmarks && (options.initialEvents === true || settings.marksLegacy)) {
        yield line('BOOKMARK', view.bookmark(known, { 'k8s.io/initial-events-end': 'true' }));
      }
    } else if (start.from !== -1) known = start.from;
    while (!over() && !schedule.expired()) {
      let piece = '';
      for (; position < collection.history.end && piece.length < pieceSize; position++) {
        if (position < collection.history.first) return;
        const event = collection.history.at(position);
        if (event !== undefined && event.revision > start.from)
          piece += eventLine(event, matches, view, collection.custom);
      }
      if (piece !== '') {
        yield piece;
        continue;
      }
      if (schedule.due() && collection.known > known && collection.known >= start.from) {
        yield line('BOOKMARK', view.bookmark(collection.known, undefined));
      }
      await waker.wait(schedule.next());
    }
    // Ended by the server: what has happened until now is still delivered.
    if (ended)
      yield* pieces(eventsFrom(collection, position), (event) => eventLine(event, matches, view, collection.custom));
  } finally {
    collection.listeners.delete(wake);
    collection.watches.delete(end);
    signal.removeEventListener('abort', wake);
  }
}

interface Start {
  /** Deliver events after this resourceVersion; -1 for from now on. */
  readonly from: number;
  /** Begin with the present state as ADDED events. */
  readonly initial: boolean;
  readonly future: boolean;
  readonly error?: ApiError;
}

function begin(collection: Collection, { revision, initialEvents }: WatchOptions, { present }: WatchSettings): Start {
  const from = revision ?? 0;
  if (initialEvents === true) return { from, initial: true, future: from > present() };
  if (from === 0) return { from: -1, initial: initialEvents === undefined, future: false };
  if (from >= collection.watchFloor) return { from, initial: false, future: from > present() };
  const error = expired(`too old resource version: ${from} (${collection.watchFloor})`);
  return { from, initial: false, future: false, error };
}

async function waitFor(revision: number, settings: WatchSettings, over: () => boolean): Promise<void> {
  const deadline = settings.now() + settings.futureTimeout;
  while (settings.present() < revision && settings.now() < deadline && !over()) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function* eventsFrom(collection: Collection, start: number): Generator<StoreEvent> {
  for (let position = start; position < collection.history.end; position++) {
    const event = collection.history.at(position);
    if (event !== undefined) yield event;
  }
}

function* pieces<T>(items: Iterable<T>, write: (item: T) => string): Generator<string> {
  let piece = '';
  for (const item of items) {
    piece += write(item);
    if (piece.length < pieceSize) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

/** What a change is to a stream with a selector: entering is ADDED; leaving is DELETED, with the state before. */
function eventLine(
  { type, object, previous, revision }: StoreEvent,
  matches: Matcher,
  view: View,
  custom: boolean,
): string {
  const before: ObjectVersion | undefined = previous !== undefined && matches(previous) ? previous : undefined;
  const after = type !== 'DELETED' && matches(object) ? object : undefined;
  if (after !== undefined) return line(before === undefined ? 'ADDED' : 'MODIFIED', view.event(after));
  if (before === undefined) return '';
  return line('DELETED', view.event(type === 'DELETED' ? object : withRevision(before, revision, custom)));
}

function line(type: string, object: string): string {
  return `{"type":"${type}","object":${object}}\n`;
}

function errorLine(error: ApiError): string {
  return line('ERROR', encode(error.body));
}

/** When a stream's bookmarks fall due: at each interval, and about two and one seconds before the timeout. */
class Bookmarks {
  readonly #options: WatchOptions;
  readonly #settings: WatchSettings;
  readonly #end: number;
  readonly #moments: number[] = [];
  #interval: number;

  constructor(options: WatchOptions, settings: WatchSettings) {
    this.#options = options;
    this.#settings = settings;
    const now = settings.now();
    // Without a timeoutSeconds the server takes one at random: 30 to 60 minutes.
    const timeout = options.timeout ?? (30 + Math.random() * 30) * 60_000;
    this.#end = now + timeout;
    if (timeout > 2000) this.#moments.push(this.#end - 2000);
    if (timeout > 1000) this.#moments.push(this.#end - 1000);
    this.#interval = now + settings.bookmarkInterval;
  }

  expired(): boolean {
    return this.#settings.now() >= this.#end;
  }

  /** Whether one is due now; asking consumes it. */
  due(): boolean {
    const now = this.#settings.now();
    const [moment = Number.POSITIVE_INFINITY] = this.#moments;
    if (now < Math.min(moment, this.#interval)) return false;
    if (now >= moment) this.#moments.shift();
    if (now >= this.#interval) this.#interval = now + this.#settings.bookmarkInterval;
    return this.#options.bookmarks;
  }

  /** Milliseconds until something falls due. */
  next(): number {
    const [moment = this.#end] = this.#moments;
    return Math.max(1, Math.min(moment, this.#interval, this.#end) - this.#settings.now());
  }
}

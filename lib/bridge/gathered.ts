// What a comparison finds, gathered until it is worth a sync of the disk and a frame of its own: where one object in a hundred
// differs, a list of 200,000 objects arrives in some thousand pieces, and each would have been an append (promise 7: what
// is gathered has a bound).
import type { Observed } from '../model/revision.ts';

/** A frame of the log, and of objects of usual size. */
const MOST = { changes: 100, bytes: 256 * 1024 };
/** A list may arrive slowly: while it goes on, nobody waits longer than that for what it has shown, milliseconds. */
const MOST_MS = 1000;

export interface Gathered {
  /** Keeps copies: the bytes of listed objects may be views into what is overwritten next. */
  add(changes: readonly Observed[], now: number): void;
  /** True where these and what is gathered are enough to record, or have waited long enough. */
  isDue(more: readonly Observed[], now: number): boolean;
  /** All of it, in the order in which it was found. */
  take(): readonly Observed[];
}

export function createGathered(): Gathered {
  let gathered: Observed[] = [];
  let bytes = 0;
  let since = 0;
  return {
    add(changes, now) {
      if (gathered.length === 0) since = now;
      for (const change of changes) {
        gathered.push({ ...change, object: Buffer.from(change.object) });
        bytes += change.object.byteLength;
      }
    },
    isDue(more, now) {
      if (gathered.length + more.length >= MOST.changes) return true;
      if (gathered.length > 0 && now - since >= MOST_MS) return true;
      return bytes + more.reduce((sum, { object }) => sum + object.byteLength, 0) >= MOST.bytes;
    },
    take() {
      const taken = gathered;
      gathered = [];
      bytes = 0;
      return taken;
    },
  };
}

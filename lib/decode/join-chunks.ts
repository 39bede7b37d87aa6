// API servers send a watch in small pieces (2 to 4 KiB over HTTP/1.1), so that most objects lie in two of them. What
// arrived together is joined first: one copy of all is cheaper than one of every object that is cut.
import { asBuffer } from './json-bytes.ts';

/** From this size on joining costs more than it saves (measured on Node 24 with objects of 3.4 KB). */
const LARGE_BYTES = 8 * 1024;

/** Joined chunks end when they have as much: large enough, and what a slow consumer holds stays small. */
const JOINED_BYTES = 128 * 1024;

export interface Joined {
  readonly bytes: Buffer;
  /** True where nobody else has these bytes. */
  readonly own: boolean;
}

/** The same bytes in fewer pieces. `own`: that nobody else has the chunks. Empty chunks are left out. */
export function* joinChunks(chunks: readonly Uint8Array[], own: boolean): Generator<Joined> {
  let small: Uint8Array[] = [];
  let smallBytes = 0;
  for (const [n, chunk] of chunks.entries()) {
    const isSmall = chunk.length < LARGE_BYTES;
    if (isSmall && chunk.length > 0) {
      small.push(chunk);
      smallBytes += chunk.length;
    }
    if (small.length > 0 && (!isSmall || smallBytes >= JOINED_BYTES || n === chunks.length - 1)) {
      const [first] = small;
      if (small.length === 1 && first !== undefined) yield { bytes: asBuffer(first), own };
      else yield { bytes: Buffer.concat(small, smallBytes), own: true };
      small = [];
      smallBytes = 0;
    }
    if (!isSmall) yield { bytes: asBuffer(chunk), own };
  }
}

// The body of a watch as decoded events: splits at newlines (readline would split at U+2028 too), across any cut of the
// body into chunks. Memory: one partial line and what the events of one batch view (promise 7).
import type { ApiResponse } from '../ports/api-server.ts';
import { joinChunks } from './join-chunks.ts';
import { skipSpace } from './json-bytes.ts';
import { truncatedError } from './protocol-error.ts';
import type { WatchLine } from './watch-line.ts';
import { NEWLINE, WatchLines } from './watch-lines.ts';

/** etcd takes requests up to 1.5 MiB by default, and the API server bodies up to 3 MiB: room for what others allow. */
const DEFAULT_MAX_OBJECT_BYTES = 16 * 1024 * 1024;

export interface DecodeWatchOptions {
  /** Largest line, in bytes; default 16 MiB. */
  readonly maxObjectBytes?: number;
  /**
   * The chunks belong to this call alone and may be overwritten: then objects need no copy to lose their managedFields,
   * which is a fifth of the time of decoding. Default false.
   */
  readonly ownsChunks?: boolean;
}

/**
 * Yields one batch of events per item taken from `body`, in order; an empty one where no line was completed, as a sign
 * of life. Objects may be views into the chunks: keep them no longer than their batch, or copy them.
 *
 * Errors of `body` pass through. Throws Mk8sError `protocol` for a line that is no watch event, a line of more than
 * `maxObjectBytes` (16 MiB), and, retryable, for a body that ends in the middle of a line. What was whole before was
 * yielded before.
 */
export async function* decodeWatch(
  body: ApiResponse['body'],
  options: DecodeWatchOptions = {},
): AsyncGenerator<readonly WatchLine[]> {
  const { maxObjectBytes = DEFAULT_MAX_OBJECT_BYTES, ownsChunks = false } = options;
  const lines = new LineSplitter(maxObjectBytes);
  for await (const chunks of body) {
    const batch: WatchLine[] = [];
    try {
      for (const { bytes, own } of joinChunks(chunks, ownsChunks)) lines.push(bytes, own, batch);
    } catch (error) {
      if (batch.length > 0) yield batch;
      throw error;
    }
    yield batch;
  }
  lines.end();
}

/** Holds the partial line between chunks. */
class LineSplitter {
  private partial: Buffer[] = [];
  private partialBytes = 0;
  private readonly lines: WatchLines;

  constructor(maxObjectBytes: number) {
    this.lines = new WatchLines(maxObjectBytes);
  }

  /** Appends the events of all lines that end in this chunk to `into`. `own` allows to overwrite it. */
  push(chunk: Buffer, own: boolean, into: WatchLine[]): void {
    let from = 0;
    if (this.partialBytes > 0) {
      const newline = chunk.indexOf(NEWLINE);
      if (newline < 0) return this.keep(chunk, 0);
      from = newline + 1;
      this.lines.checkLength(this.partialBytes + newline);
      const line = Buffer.concat([...this.partial, chunk.subarray(0, from)]);
      this.partial = [];
      this.partialBytes = 0;
      this.lines.decode(line, 0, true, into);
    }
    this.keep(chunk, this.lines.decode(chunk, from, own, into));
  }

  /** The body ended as HTTP says it must. */
  end(): void {
    const rest = Buffer.concat(this.partial);
    if (skipSpace(rest, 0, rest.length) === rest.length) return;
    throw truncatedError(
      `A watch ended in the middle of an event, after ${this.partialBytes} bytes of it; what came before is whole. Watching can resume from there.`,
    );
  }

  /** The chunk has no newline from `from` on. */
  private keep(chunk: Buffer, from: number): void {
    if (from === chunk.length) return;
    this.partial.push(chunk.subarray(from));
    this.partialBytes += chunk.length - from;
    this.lines.checkLength(this.partialBytes);
  }
}

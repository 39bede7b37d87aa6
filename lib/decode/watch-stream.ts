// The body of a watch as decoded events: splits at newlines (readline would split at U+2028 too), across any cut of the
// body into chunks. Memory: one partial line and what the events of one batch view (promise 7).
import type { ApiResponse } from '../ports/api-server.ts';
import { asBuffer, skipSpace } from './json-bytes.ts';
import { protocolError, truncatedError } from './protocol-error.ts';
import { type WatchLine, WatchLineDecoder } from './watch-line.ts';

const NEWLINE = 0x0a;

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
  const lines = new LineSplitter(options);
  for await (const chunks of body) {
    const batch: WatchLine[] = [];
    try {
      for (const chunk of chunks) lines.push(asBuffer(chunk), batch);
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
  private readonly lines = new WatchLineDecoder();
  private readonly maxBytes: number;
  private readonly ownsChunks: boolean;

  constructor({ maxObjectBytes = DEFAULT_MAX_OBJECT_BYTES, ownsChunks = false }: DecodeWatchOptions) {
    this.maxBytes = maxObjectBytes;
    this.ownsChunks = ownsChunks;
  }

  /** Appends the events of all lines that end in this chunk to `into`. */
  push(chunk: Buffer, into: WatchLine[]): void {
    let start = 0;
    for (;;) {
      const newline = chunk.indexOf(NEWLINE, start);
      const end = newline < 0 ? chunk.length : newline;
      if (this.partialBytes + end - start > this.maxBytes) throw this.tooLong(this.partialBytes + end - start);
      if (newline < 0) break;
      if (this.partialBytes === 0) this.line(chunk, start, end, this.ownsChunks, into);
      else {
        const line = Buffer.concat([...this.partial, chunk.subarray(start, end)]);
        this.partial = [];
        this.partialBytes = 0;
        this.line(line, 0, line.length, true, into);
      }
      start = newline + 1;
    }
    if (start < chunk.length) {
      this.partial.push(chunk.subarray(start));
      this.partialBytes += chunk.length - start;
    }
  }

  /** The body ended as HTTP says it must. */
  end(): void {
    const rest = Buffer.concat(this.partial);
    if (skipSpace(rest, 0, rest.length) === rest.length) return;
    throw truncatedError(
      `A watch ended in the middle of an event, after ${this.partialBytes} bytes of it; what came before is whole. Watching can resume from there.`,
    );
  }

  private line(bytes: Buffer, start: number, end: number, inPlace: boolean, into: WatchLine[]): void {
    if (skipSpace(bytes, start, end) < end) into.push(this.lines.decode(bytes, start, end, inPlace));
  }

  private tooLong(bytes: number): Error {
    return protocolError(
      `A watch event has at least ${bytes} bytes, more than the ${this.maxBytes} that are accepted of one object. Raise maxObjectBytes, or leave the object out by a selector.`,
    );
  }
}

// Writing to stdout and stderr: with backpressure, and quietly when the reader has gone (`mk8s tail | head`).
import type { Writable } from 'node:stream';

/** Thrown by `write` once nobody reads any more; main ends quietly on it. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone';
}

export interface Output {
  readonly isTerminal: boolean;
  /** Columns and rows now; 80 × 24 where unknown. */
  size(): { readonly width: number; readonly height: number };
  /** Resolves when the chunk was handed to the reader's pipe, file or terminal. Throws ReaderGone. */
  write(chunk: string | Uint8Array): Promise<void>;
  /** True while earlier writes still wait for the reader. */
  isBehind(): boolean;
  onResize(listener: () => void): () => void;
}

// EPIPE: a closed pipe. EIO: a terminal that hung up.
const gone = new Set(['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END']);

export function outputTo(stream: Writable & Partial<NodeJS.WriteStream>): Output {
  // The write's callback gets the error too; without a listener the event would end the process with a stack trace.
  stream.on('error', () => {});
  return {
    isTerminal: stream.isTTY === true,
    size: () => ({ width: stream.columns ?? 80, height: stream.rows ?? 24 }),
    isBehind: () => stream.writableNeedDrain,
    write: (chunk) =>
      new Promise((resolve, reject) => {
        stream.write(chunk, (error) => {
          if (error === null || error === undefined) resolve();
          else reject(gone.has((error as NodeJS.ErrnoException).code ?? '') ? new ReaderGone() : error);
        });
      }),
    onResize: (listener) => {
      stream.on('resize', listener);
      return () => stream.off('resize', listener);
    },
  };
}

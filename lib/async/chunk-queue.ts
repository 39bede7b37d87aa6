// Turns a socket that pushes into a body that is pulled, with a bound on what is read ahead (promise 7).

export interface ChunkQueueOptions {
  /** Bytes held before `pause` is called. */
  readonly windowBytes: number;
  readonly pause: () => void;
  readonly resume: () => void;
}

// What a chunk costs beside its bytes (a Buffer's header and backing store), so that a flood of tiny chunks counts too.
const CHUNK_OVERHEAD_BYTES = 128;

/** A queue of byte chunks with one consumer, which takes all that has arrived at once. */
export class ChunkQueue {
  readonly #options: ChunkQueueOptions;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #paused = false;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(options: ChunkQueueOptions) {
    this.#options = options;
  }

  push(chunk: Uint8Array): void {
    if (this.#ended) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength + CHUNK_OVERHEAD_BYTES;
    if (!this.#paused && this.#bytes >= this.#options.windowBytes) {
      this.#paused = true;
      this.#options.pause();
    }
    this.#wakeSoon();
  }

  /** Nothing follows; what was pushed can still be taken. */
  end(): void {
    this.#ended = true;
    this.#wakeSoon();
  }

  /** Nothing follows; once what was pushed has been taken, `take` throws `error`. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = { error };
    this.#wakeSoon();
  }

  /** Drops what was pushed; `take` throws `error` now. */
  abort(error: unknown): void {
    this.#chunks = [];
    this.#bytes = 0;
    this.#ended = true;
    this.#failure = { error };
    this.#wakeSoon();
  }

  /** All chunks that arrived since the last call, at least one; undefined at the end. One call at a time. */
  async take(): Promise<readonly Uint8Array[] | undefined> {
    if (this.#chunks.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#chunks.length > 0) {
      const batch = this.#chunks;
      this.#chunks = [];
      this.#bytes = 0;
      if (this.#paused) {
        this.#paused = false;
        this.#options.resume();
      }
      return batch;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    return undefined;
  }

  // Not at once: all chunks that one poll of the event loop brings should come as one batch.
  #wakeSoon(): void {
    const wake = this.#wake;
    if (wake === undefined) return;
    this.#wake = undefined;
    setImmediate(wake);
  }
}

import type { Revision } from '../model/revision.ts';

export interface EventSink {
  /** `stdout`, `https://…`: for messages; contains no credential. */
  readonly name: string;
  /**
   * Publishes a batch of one stream, in sequence order; changes of one object go out in that order. Resolves when all
   * are acknowledged (or stored as dead letters); throws Mk8sError otherwise, and the whole batch is then published
   * again with the same ids. Never retries by itself. Memory: holds no more than the batch. `onProgress` is called when a
   * change of the batch is acknowledged that was not before, by sinks that go on where they failed.
   */
  publish(batch: readonly Revision[], signal: AbortSignal, onProgress?: () => void): Promise<void>;
  close(): Promise<void>;
}

/** A change that a sink refused for good, kept for people. */
export interface DeadLetter {
  readonly sink: string;
  readonly stream: string;
  readonly sequence: number;
  readonly id: string;
  readonly reason: string;
  readonly at: number;
}

export interface DeadLetterStore {
  put(letter: DeadLetter): Promise<void>;
  list(limit: number): Promise<readonly DeadLetter[]>;
  count(): Promise<number>;
}

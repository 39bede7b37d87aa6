// The order in which a batch goes out: each object's changes one after the other (promise 2), objects side by side.
import type { Semaphore } from '../../async/semaphore.ts';
import { objectKey, type Revision } from '../../model/revision.ts';
import { type StreamKey, streamKey } from '../../model/stream.ts';
import type { EventSink } from '../../ports/event-sink.ts';

export interface Lanes {
  /**
   * Sends a batch of one stream. After the first failure nothing new is sent, and what is under way is waited for: the
   * batch comes again, and an old request must not overtake a new one. Throws that failure, or the signal's reason.
   * Calls `onProgress` for each change that gets through.
   */
  readonly publish: EventSink['publish'];
}

/**
 * `send` delivers one change and resolves when it is acknowledged; `open` limits how many are on their way.
 *
 * What a failed batch did get through is remembered until that batch comes again, and left out then: a webhook that
 * refuses a few in a hundred, or limits its rate, would otherwise never see the end of a batch. A sequence number stands
 * for the same change for ever, so this can only save duplicates. Memory: the numbers of one batch per failing stream.
 */
export function createLanes(open: Semaphore, send: (revision: Revision, signal: AbortSignal) => Promise<void>): Lanes {
  const acknowledged = new Map<StreamKey, ReadonlySet<number>>();

  async function publish(batch: readonly Revision[], signal: AbortSignal, onProgress?: () => void): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    const key = streamKey(first.stream);
    const before = acknowledged.get(key) ?? new Set();
    const done = new Set<number>();
    const failure = new AbortController();
    const going = AbortSignal.any([signal, failure.signal]);

    async function sendInOrder(lane: readonly Revision[]): Promise<void> {
      for (const revision of lane) {
        if (!before.has(revision.sequence)) await sendOne(revision);
        done.add(revision.sequence);
      }
    }

    async function sendOne(revision: Revision): Promise<void> {
      const giveBack = await open.acquire(going);
      try {
        going.throwIfAborted();
        await send(revision, signal);
        onProgress?.();
      } catch (error) {
        // Before the place is given back: nobody may take it to send more.
        failure.abort(error);
        throw error;
      } finally {
        giveBack();
      }
    }

    const lanes = Map.groupBy(batch, ({ namespace, name }) => objectKey(namespace, name));
    // Only the first reason stays; lanes that stop because of it fail with the same one.
    const sending = Array.from(lanes.values(), (lane) => sendInOrder(lane).catch((error) => failure.abort(error)));
    await Promise.all(sending);
    if (going.aborted) acknowledged.set(key, done);
    else acknowledged.delete(key);
    signal.throwIfAborted();
    failure.signal.throwIfAborted();
  }
  return { publish };
}

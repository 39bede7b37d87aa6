// The body of a response as the port ApiServer promises it: pulled, bounded, decoded, and honest about how it ended.
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ChunkQueue } from '../../async/chunk-queue.ts';
import { Mk8sError, messageOf } from '../../model/errors.ts';
import { codeOf, interruptedError, type Peer } from './transport-errors.ts';
import { beginWindow, endWindow } from './transport-read.ts';

/** How much is read ahead of a consumer. */
export const WINDOW_BYTES = 1024 * 1024;

/**
 * Reading begins at once, so that short bodies are complete when they are asked for. A body can be read once. It must
 * be read to its end, left early, or aborted: else its connection stays taken.
 */
export function responseBody(
  message: IncomingMessage,
  peer: Peer,
  signal: AbortSignal | undefined,
  windowBytes: number,
): AsyncIterable<readonly Uint8Array[]> {
  const source = message.headers['content-encoding'] === 'gzip' ? createGunzip() : message;
  const { socket } = message; // It is gone from the message once that has ended.
  // One more read may come after the pause.
  const heldBytes = windowBytes - beginWindow(socket, windowBytes);
  const queue = new ChunkQueue({ windowBytes: heldBytes, pause: () => source.pause(), resume: () => source.resume() });

  if (source === message) {
    // A peer that goes away in the middle gives 'error' (ECONNRESET, "aborted"), never 'end'.
    message.on('error', (error) => queue.fail(bodyError(error, peer)));
  } else {
    pipeline(message, source as ReturnType<typeof createGunzip>, (error) => {
      if (error) queue.fail(bodyError(error, peer));
    });
    // `pipeline` is done with the last stream when that has taken all: what gunzip finds missing at its end comes later, and
    // an error that nobody hears ends the process.
    source.on('error', (error) => queue.fail(bodyError(error, peer)));
  }
  source.on('data', (chunk: Buffer) => queue.push(chunk));
  source.on('end', () => (message.complete ? queue.end() : queue.fail(interruptedError(peer, undefined))));

  const abort = (): void => {
    queue.abort(signal?.reason);
    message.destroy();
  };
  signal?.addEventListener('abort', abort, { once: true });
  const closed = (): void => {
    endWindow(socket);
    signal?.removeEventListener('abort', abort);
    // After 'end' or 'error' this changes nothing; gunzip may still be busy with what ended.
    if (!message.readableEnded) queue.fail(interruptedError(peer, undefined));
  };
  // Headers and the end of the connection can come in one piece: then nobody heard of it yet.
  if (message.destroyed) closed();
  else message.on('close', closed);
  return batches(queue, message);
}

async function* batches(queue: ChunkQueue, message: IncomingMessage): AsyncGenerator<readonly Uint8Array[]> {
  try {
    for (;;) {
      const batch = await queue.take();
      if (batch === undefined) return;
      yield batch;
    }
  } finally {
    // Read to the end, the connection goes back to the pool and this does nothing.
    message.destroy();
  }
}

function bodyError(error: unknown, peer: Peer): Mk8sError {
  const code = codeOf(error);
  // Z_BUF_ERROR is "unexpected end of file": cut off. Other zlib errors say that it never was gzip.
  if (code.startsWith('Z_') && code !== 'Z_BUF_ERROR') {
    return new Mk8sError(`The answer of ${peer} says it is gzip, but it is not: ${messageOf(error)}.`, {
      code: 'protocol',
      cause: error,
    });
  }
  return interruptedError(peer, error);
}

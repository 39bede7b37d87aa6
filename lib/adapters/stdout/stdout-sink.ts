// Publishes changes as lines of text: one structured CloudEvent a line (NDJSON), for pipes.
import type { Writable } from 'node:stream';
import { cloudEventJson } from '../../model/cloud-event.ts';
import { Mk8sError, messageOf } from '../../model/errors.ts';
import type { EventSink } from '../../ports/event-sink.ts';

/**
 * A stream, such as process.stdout, as a sink. A change is acknowledged when the stream has handed its line on, so a
 * reader that stops reading stops the bridge instead of filling the heap (promise 7). Throws Mk8sError `unreachable`,
 * not retryable, once the reader is gone (EPIPE).
 */
export function stdoutSink(out: Writable): EventSink {
  let broken: Error | undefined;
  // A broken pipe also arrives as an event between two writes; unheard, it would end the process.
  out.on('error', (error: Error) => {
    broken ??= error;
  });
  return {
    name: 'stdout',
    async publish(batch, signal) {
      for (const revision of batch) {
        signal.throwIfAborted();
        if (broken !== undefined) throw goneError(broken);
        await writeLine(out, `${cloudEventJson(revision)}\n`, signal);
      }
    },
    async close() {
      // Nothing is buffered here, and the stream is its owner's to end.
    },
  };
}

async function writeLine(out: Writable, line: string, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  out.write(line, (error) => (error ? reject(goneError(error)) : resolve()));
  try {
    await promise;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function goneError(error: Error): Mk8sError {
  const code = (error as NodeJS.ErrnoException).code;
  const why = code === 'EPIPE' ? 'whatever read it has ended (EPIPE)' : messageOf(error);
  return new Mk8sError(`Cannot publish to stdout: ${why}. Start again with a reader; nothing recorded is lost.`, {
    code: 'unreachable',
    cause: error,
  });
}

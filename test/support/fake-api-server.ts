// An ApiServer in memory: a function from request to answer. It remembers what was asked and whether bodies were left early.
import { Mk8sError } from '../../lib/model/errors.ts';
import type { ApiRequest, ApiServer } from '../../lib/ports/api-server.ts';
import { recordedExchange } from './recordings.ts';

export interface FakeAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text, bytes, or an iterable of them for a stream that the test controls. */
  readonly body?: string | Uint8Array | AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;
}

export interface FakeApiServer extends ApiServer {
  readonly requests: readonly ApiRequest[];
  /** Bodies that were opened and not yet read to the end or left. */
  readonly open: () => number;
  readonly closed: () => boolean;
}

export type FakeHandler = (request: ApiRequest, count: number) => FakeAnswer | Promise<FakeAnswer>;

/** `count` is the number of the request, from 1. */
export function fakeApiServer(handler: FakeHandler, server = 'https://fake:6443'): FakeApiServer {
  const requests: ApiRequest[] = [];
  let open = 0;
  let closed = false;
  async function* bodyOf(answer: FakeAnswer, signal: AbortSignal | undefined): AsyncGenerator<readonly Uint8Array[]> {
    open += 1;
    try {
      const body = answer.body ?? '';
      const parts = typeof body === 'string' || body instanceof Uint8Array ? [body] : body;
      for await (const part of abortable(parts, signal)) {
        yield [typeof part === 'string' ? Buffer.from(part) : part];
      }
    } finally {
      open -= 1;
    }
  }
  return {
    server,
    requests,
    open: () => open,
    closed: () => closed,
    request: async (request) => {
      request.signal?.throwIfAborted();
      requests.push(request);
      const answer = await handler(request, requests.length);
      return { status: answer.status ?? 200, headers: answer.headers ?? {}, body: bodyOf(answer, request.signal) };
    },
    close: () => {
      closed = true;
      return Promise.resolve();
    },
  };
}

export function jsonAnswer(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): FakeAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

export function statusAnswer(code: number, reason: string, message: string, extra: object = {}): FakeAnswer {
  return jsonAnswer({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message, code, ...extra }, code);
}

/** Plays the answer of a recording. */
export function recordedAnswer(name: string): FakeAnswer {
  const { status, headers, body } = recordedExchange(name).response;
  return { status, headers, body };
}

/** A body that never goes on: ends only by an abort. */
export async function* hanging(...parts: readonly string[]): AsyncGenerator<string> {
  yield* parts;
  await new Promise<never>(() => {});
}

/** A body that breaks off, as the transport tells it. */
export async function* broken(...parts: readonly string[]): AsyncGenerator<string> {
  yield* parts;
  await Promise.reject(
    new Mk8sError('The answer of the fake ended in the middle.', { code: 'interrupted', retryable: true }),
  );
}

async function* abortable<T>(
  parts: AsyncIterable<T> | Iterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  signal?.addEventListener('abort', () => aborted.reject(signal.reason), { once: true });
  const iterator = (async function* () {
    yield* parts;
  })();
  for (;;) {
    signal?.throwIfAborted();
    const next = await Promise.race([iterator.next(), aborted.promise]);
    if (next.done === true) return;
    yield next.value;
  }
}

// One POST and its status. Errors of the network become Mk8sError here; what a status means is decided by the sink.
import type { Agent as HttpAgent, IncomingMessage } from 'node:http';
import { type Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { startDeadline } from '../../async/deadline.ts';
import { Mk8sError, messageOf } from '../../model/errors.ts';
import type { Clock } from '../../ports/clock.ts';

// Not imported, so that undici is not loaded: see adapters/kubernetes/transport.ts.
const { request: httpRequest } = process.getBuiltinModule('node:http');

export interface PostTarget {
  readonly url: URL;
  /** How the target is called in messages: no credentials, no query. */
  readonly name: string;
  readonly agent: HttpAgent | HttpsAgent;
  /** From the first byte to the end of the answer. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

export interface Answer {
  readonly status: number;
  /** The Retry-After header as sent. */
  readonly retryAfter: string | undefined;
}

/** An answer's body is of no use to us; reading a small one keeps the connection usable, a longer one is cut off. */
const longestAnswerBytes = 64 * 1024;

/**
 * Sends one request and resolves when its answer has been read. Throws Mk8sError `unreachable` (retryable; also for a
 * timeout) or `tls`, or the signal's reason when that aborts.
 */
export async function post(
  target: PostTarget,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<Answer> {
  signal.throwIfAborted();
  const deadline = startDeadline(target.clock, target.timeoutMs, signal);
  try {
    return await exchange(target, headers, body, deadline.signal);
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.expired) {
      throw new Mk8sError(
        `Cannot publish to ${target.name}: no complete answer within ${target.timeoutMs} ms. The changes are sent again.`,
        { code: 'unreachable', retryable: true },
      );
    }
    throw classify(target.name, error);
  } finally {
    deadline.stop();
  }
}

function exchange(
  { url, agent }: PostTarget,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const options = {
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port,
    path: `${url.pathname}${url.search}`,
    headers: { ...headers, 'content-length': String(body.byteLength) },
    agent,
    signal,
  };
  let answered = false;
  const request = send(options, (response) => {
    answered = true;
    drain(response).then(
      () => resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] }),
      reject,
    );
  });
  request.on('error', reject);
  // An answer that switches protocols, which nobody asked for, closes the connection without an error and without a response.
  request.on('close', () => {
    if (!answered) reject(new Error('the connection was closed without an answer'));
  });
  request.end(body);
  return promise;
}

/** Reads the answer to its end; leaving the loop early destroys it, and its connection with it. */
async function drain(response: IncomingMessage): Promise<void> {
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).byteLength;
    if (bytes > longestAnswerBytes) return;
  }
}

/** OpenSSL's and Node's codes for a certificate that is not trusted, not valid now, or for another name. */
const tlsCode = /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

function classify(name: string, error: unknown): Mk8sError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (tlsCode.test(code)) {
    return new Mk8sError(
      `Cannot publish to ${name}: its TLS certificate is not accepted (${code}). Give it a certificate that this machine trusts, or name its CA in NODE_EXTRA_CA_CERTS.`,
      { code: 'tls', cause: error },
    );
  }
  return new Mk8sError(
    `Cannot publish to ${name}: ${code === '' ? messageOf(error) : code}. The changes are sent again.`,
    { code: 'unreachable', retryable: true, cause: error },
  );
}

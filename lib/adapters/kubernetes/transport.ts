// HTTP to one cluster's API server: one pool, credentials applied, errors classified, nothing retried.
//
// It speaks HTTP/1.1. Measured with bench/transport.ts (Node 24, TLS on loopback, the client's processor time, medians
// of five, HTTP/1.1 against HTTP/2): a 20 MB list 70 ms : 70 ms; 2,000 GETs one after the other 490 ms : 430 ms, twenty
// at a time 500 ms : 95 ms; opening 50 watches 105 ms : 14 ms, and 200,000 events on them 360 ms : 285 ms. So lists
// are equal, and watches cost 1.8 µs against 1.4 µs an event, little beside decoding one. HTTP/2 is ahead only in
// many small requests at once, which is not what a watching client does. For that little, HTTP/1.1 keeps streams
// apart (promise 8): each has its own connection, so a slow sink slows one socket, a lost packet or a dropped
// connection delays one stream, and no server limits streams per connection. And its ends are honest: with
// node:http2 a killed server looks like a normal end unless the reset code is read.
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { Mk8sError } from '../../model/errors.ts';
import { packageVersion } from '../../model/version.ts';
import type { ApiRequest, ApiResponse, ApiServer } from '../../ports/api-server.ts';
import { responseBody, WINDOW_BYTES } from './body.ts';
import { anonymous, type Credential, type Credentials, fixedCredentials } from './credentials.ts';
import { proxyAuthorization } from './proxy-tunnel.ts';
import { codeOf, connectionError, type Peer, timeoutError, withPeer } from './transport-errors.ts';
import { openPools, type PoolOptions } from './transport-pool.ts';

export interface ConnectionOptions extends PoolOptions {
  /** For messages: a context's name. */
  readonly name?: string;
  /** Default: anonymous. */
  readonly credentials?: Credentials;
  /** Sent with every request, e.g. Impersonate-*. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Default `mk8s/VERSION`. */
  readonly userAgent?: string;
  /** Ask for gzip (servers compress lists above 128 KiB, never watches). Default true. */
  readonly compression?: boolean;
  /** From a request's start to its response headers. Default 60 s, as long as kube-apiserver itself gives a request. */
  readonly headersTimeoutMs?: number;
  /** Read ahead of a body's consumer. Default 1 MiB. */
  readonly windowBytes?: number;
}

// Not imported: an import of node:http reads all of its exports, WebSocket among them, and so loads undici (45 ms of a start).
const { request: httpRequest } = process.getBuiltinModule('node:http');
const version = packageVersion();

/** Nothing is connected before the first request. */
export function openApiServer(options: ConnectionOptions): ApiServer {
  const server = options.server.href.replace(/\/+$/, '');
  const peer = options.name === undefined ? server : `cluster "${options.name}" (${server})`;
  const credentials = renewable(options.credentials ?? fixedCredentials(anonymous), peer);
  const pools = openPools(options, peer);
  const prefix = options.server.pathname.replace(/\/+$/, '');
  // An http proxy is told the whole URL of a plain http server (RFC 9112, 3.2.2).
  const absolute = options.server.protocol === 'http:' && options.proxy?.protocol.startsWith('http') === true;
  const fixedHeaders = {
    host: options.server.host,
    'user-agent': options.userAgent ?? `mk8s/${version}`,
    accept: 'application/json',
    ...(options.compression === false ? {} : { 'accept-encoding': 'gzip' }),
    ...(absolute && options.proxy !== undefined ? proxyAuthorization(options.proxy) : {}),
    ...options.headers,
  };

  async function attempt(request: ApiRequest): Promise<ApiResponse> {
    request.signal?.throwIfAborted();
    const credential = await credentials.get(request);
    const path = `${prefix}${request.path}${queryString(request.query)}`;
    const body = typeof request.body === 'string' ? Buffer.from(request.body) : request.body;
    const message = await sendOnLiveConnection({
      peer,
      signal: request.signal,
      timeoutMs: options.headersTimeoutMs ?? 60_000,
      body,
      options: {
        agent: pools.for(credential.clientCertificate),
        method: request.method ?? 'GET',
        path: absolute ? `${options.server.origin}${path}` : path,
        setHost: false,
        headers: {
          ...fixedHeaders,
          ...lowerCaseNames(request.headers),
          ...credential.headers,
          ...(body === undefined ? {} : { 'content-length': body.byteLength }),
        },
      },
    });
    const status = message.statusCode ?? 0;
    if (status === 401) credentials.refused(credential);
    return {
      status,
      headers: singleValues(message),
      ownsChunks: true,
      body: responseBody(message, peer, request.signal, request.readAheadBytes ?? options.windowBytes ?? WINDOW_BYTES),
    };
  }

  return {
    server,
    request: attempt,
    close: () => {
      pools.close();
      return Promise.resolve();
    },
  };
}

interface Sending {
  readonly peer: Peer;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  readonly body: Uint8Array | undefined;
  readonly options: RequestOptions;
}

/**
 * A pooled connection may have died unnoticed. A reading request that finds it so was not answered by anyone and goes
 * on the next connection, as in Go's http.Transport; this is the pool's affair, not a retry of a failed request.
 */
async function sendOnLiveConnection(sending: Sending): Promise<IncomingMessage> {
  for (;;) {
    const stale = { found: false };
    try {
      return await send(sending, stale);
    } catch (error) {
      if (!stale.found || sending.signal?.aborted === true) throw error;
    }
  }
}

/** Resolves at the response headers. Tells in `stale` where a reused connection turned out to be closed. */
async function send(sending: Sending, stale: { found: boolean }): Promise<IncomingMessage> {
  const { peer, signal, timeoutMs } = sending;
  const reads = sending.options.method === 'GET' || sending.options.method === 'HEAD';
  return await new Promise<IncomingMessage>((resolve, reject) => {
    let request: ClientRequest;
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const fail = (error: unknown): void => {
      settle();
      reject(error);
      request?.destroy();
    };
    const abort = (): void => fail(signal?.reason);
    const timer = setTimeout(() => fail(timeoutError(peer, 'no answer came', timeoutMs)), timeoutMs);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      request = httpRequest(sending.options);
    } catch (error) {
      settle();
      reject(connectionError(error, peer));
      return;
    }
    let answered = false;
    request.on('response', (message) => {
      answered = true;
      settle();
      resolve(message);
    });
    request.on('error', (error) => {
      // After the headers, what goes wrong is the body's to tell. To destroy the request now would throw away what of the
      // body was not read yet, and end it as if it were whole.
      if (answered) return;
      stale.found = reads && request.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(codeOf(error));
      fail(connectionError(error, peer));
    });
    request.end(sending.body);
  });
}

/** Remembers which credentials were refused, so that fifty 401s make one new credential, not fifty. */
function renewable(credentials: Credentials, peer: Peer) {
  const get = async (options: Parameters<Credentials['get']>[0]): Promise<Credential> => {
    try {
      return await credentials.get(options);
    } catch (error) {
      throw error instanceof Mk8sError ? withPeer(error, 'Cannot authenticate to', peer) : error;
    }
  };
  const refused = new WeakSet<Credential>();
  const renewed = new WeakSet<Credential>();
  return {
    refused: (credential: Credential): void => {
      refused.add(credential);
    },
    get: async ({ freshCredentials = false, signal }: ApiRequest): Promise<Credential> => {
      const current = await get({ fresh: false, signal });
      if (!freshCredentials || (renewed.has(current) && !refused.has(current))) return current;
      const fresh = await get({ fresh: true, signal });
      renewed.add(fresh);
      return fresh;
    },
  };
}

function queryString(query: ApiRequest['query']): string {
  const entries = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  if (entries.length === 0) return '';
  return `?${new URLSearchParams(Object.fromEntries(entries.map(([name, value]) => [name, String(value)]))).toString()}`;
}

function lowerCaseNames(headers: ApiRequest['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
}

function singleValues(message: IncomingMessage): Record<string, string> {
  const entries = Object.entries(message.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : value,
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

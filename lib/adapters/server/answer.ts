// One request of node:http (or of Express, which is node:http underneath) handed to a handler, and its answer written. Bodies are
// read here, up to a limit, so that no handler waits for a slow one or holds a large one.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { HttpHandler, HttpRequest, HttpResponse } from '../../ports/http.ts';

export interface AnswerLimits {
  /** Of a body. A TokenRequest is a few hundred bytes, a token exchange a few kilobytes. Default 64 KiB. */
  readonly bodyBytes?: number;
  /** Of path and query. Default 8 KiB. */
  readonly urlCharacters?: number;
  /** Requests at a time; more are refused at once. Default 500. */
  readonly inFlight?: number;
  /** How many proxies in front add an address each to X-Forwarded-For; default 0: whoever sends it has written it himself. */
  readonly proxies?: number;
}

/** What a message said before anyone changed it. */
export interface Target {
  readonly url: string;
  /** Undefined for none. */
  readonly contentLength: string | undefined;
  readonly chunked: boolean;
}

export function targetOf({ url = '', headers }: IncomingMessage): Target {
  const chunked = headers['transfer-encoding'] !== undefined;
  return { url, contentLength: headers['content-length'], chunked };
}

export type Answerer = (message: IncomingMessage, response: ServerResponse, target?: Target) => Promise<void>;

/** Never rejects: what cannot be answered ends its connection. */
export function answerWith(handler: HttpHandler, limits: AnswerLimits = {}): Answerer {
  const { bodyBytes = 65_536, urlCharacters = 8_192, inFlight = 500, proxies = 0 } = limits;
  let running = 0;

  async function answered(message: IncomingMessage, target: Target, signal: AbortSignal): Promise<HttpResponse> {
    if (target.url.length > urlCharacters) return handler.refuse(414);
    if (running > inFlight) return handler.refuse(503);
    if (Number(target.contentLength ?? 0) > bodyBytes) return handler.refuse(413);
    const body = await readBody(message, target, bodyBytes);
    if (body === undefined) return handler.refuse(413);
    return await handler.handle(requestOf(message, target.url, body, { signal, proxies }));
  }

  return async (message, response, target = targetOf(message)) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort(new DOMException('The client has gone', 'AbortError')));
    running += 1;
    try {
      const answer = await answered(message, target, gone.signal);
      write(response, message, answer);
    } catch {
      // The body was cut off, or the client went away: there is nobody to tell.
      response.destroy();
    } finally {
      running -= 1;
    }
  };
}

function requestOf(
  message: IncomingMessage,
  url: string,
  body: Uint8Array,
  { signal, proxies }: { readonly signal: AbortSignal; readonly proxies: number },
): HttpRequest {
  const headers = new Map<string, string[]>();
  for (let at = 0; at + 1 < message.rawHeaders.length; at += 2) {
    const name = (message.rawHeaders[at] ?? '').toLowerCase();
    const lines = headers.get(name);
    const value = message.rawHeaders[at + 1] ?? '';
    if (lines === undefined) headers.set(name, [value]);
    else lines.push(value);
  }
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark + 1);
  const peer = forwardedBy(headers, proxies) ?? message.socket.remoteAddress ?? '';
  return { method: message.method ?? '', path, query, headers, peer, body, signal };
}

/**
 * The address that the outermost of the proxies wrote: each adds the one that it sees at the end, and what stands before theirs is the
 * caller's own word. Undefined where there are none, or it is no address: then it did not come through them.
 */
function forwardedBy(headers: ReadonlyMap<string, readonly string[]>, proxies: number): string | undefined {
  if (proxies === 0) return undefined;
  const address = (headers.get('x-forwarded-for') ?? []).join(',').split(',').at(-proxies)?.trim() ?? '';
  return isIP(address) === 0 ? undefined : address;
}

/** Undefined where it is too large: what is left of it is not read. */
async function readBody(message: IncomingMessage, target: Target, limit: number): Promise<Uint8Array | undefined> {
  if (target.contentLength === undefined && !target.chunked) return new Uint8Array();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function write(response: ServerResponse, message: IncomingMessage, { status, headers, body }: HttpResponse): void {
  const bytes = Buffer.from(body);
  // A body that nobody reads would be taken for the next request.
  const unread = !message.complete;
  response.writeHead(status, {
    ...headers,
    ...(status === 304 || status === 204 ? {} : { 'content-length': bytes.length }),
    ...(unread ? { connection: 'close' } : {}),
  });
  response.end(message.method === 'HEAD' ? undefined : bytes);
}

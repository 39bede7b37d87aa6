// Answers on the wire: Content-Length up to 2 KiB, chunked above, gzip only above 128 KiB, as the server does it.
import { randomUUID } from 'node:crypto';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { encode, type Json } from './json.ts';
import type { ApiError } from './status.ts';

/** HTTP/1.1 requests come in the same shape, through Node's compatibility layer. */
export type Request = Http2ServerRequest;
export type Response = Http2ServerResponse;

export interface Answer {
  readonly code: number;
  /** Default application/json. */
  readonly type?: string;
  /** The body in pieces, without its final newline where `type` is JSON. */
  readonly body: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

const compressAbove = 128 * 1024;
const chunkedAbove = 2048;

export function json(code: number, value: Json, headers: Record<string, string> = {}): Answer {
  return { code, body: [encode(value)], headers };
}

export function text(code: number, body: string): Answer {
  return { code, type: 'text/plain; charset=utf-8', body: [body], headers: { 'X-Content-Type-Options': 'nosniff' } };
}

export function errorAnswer({ code, body, headers }: ApiError): Answer {
  if (typeof body === 'string') return { ...text(code, body), headers: { ...text(code, body).headers, ...headers } };
  return { ...json(code, body), headers };
}

export async function send(request: Request, response: Response, answer: Answer): Promise<void> {
  const isJson = answer.type === undefined;
  const pieces = isJson ? [...answer.body, '\n'] : answer.body;
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const headers: Record<string, string> = {
    ...commonHeaders(request),
    ...(answer.code === 304 ? {} : { 'Content-Type': answer.type ?? 'application/json' }),
    ...answer.headers,
  };
  const accepts = request.headers['accept-encoding'] ?? '';
  if (size > compressAbove && /\bgzip\b/.test(accepts)) {
    response.writeHead(answer.code, { ...headers, 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' });
    await pipeline(Readable.from(joined(pieces)), createGzip({ level: 1 }), response);
    return;
  }
  if (size <= chunkedAbove) {
    const body = Buffer.from(pieces.join(''));
    response.writeHead(
      answer.code,
      answer.code === 304 ? headers : { ...headers, 'Content-Length': String(body.length) },
    );
    if (request.method === 'HEAD') response.end();
    else response.end(body);
    return;
  }
  response.writeHead(answer.code, headers);
  if (request.method === 'HEAD') response.end();
  else await pipeline(Readable.from(joined(pieces)), response);
}

export function commonHeaders(request: Request): Record<string, string> {
  const given = request.headers['audit-id'];
  return {
    'Audit-Id': typeof given === 'string' ? given : randomUUID(),
    'Cache-Control': 'no-cache, private',
    'X-Kubernetes-Pf-Flowschema-Uid': '81c3a175-caa8-4db8-aa87-5519e258f567',
    'X-Kubernetes-Pf-Prioritylevel-Uid': '36924477-a20d-43b6-b9ff-d9f592bf9bd8',
  };
}

export function warningHeader(warnings: readonly string[]): Record<string, string> {
  if (warnings.length === 0) return {};
  return { Warning: warnings.map((warning) => `299 - ${JSON.stringify(warning)}`).join(', ') };
}

/** Pieces of about 64 KiB: not one write per object. */
function* joined(pieces: readonly string[]): Generator<Buffer> {
  let piece = '';
  for (const part of pieces) {
    piece += part;
    if (piece.length < 65_536) continue;
    yield Buffer.from(piece);
    piece = '';
  }
  if (piece !== '') yield Buffer.from(piece);
}

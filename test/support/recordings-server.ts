// Plays recorded exchanges over a real socket, byte by byte as the API server framed them: same chunk sizes, same end
// (0-chunk, Content-Length, or a connection that just closes). As fast as the reader takes them.
import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { recordings } from './recordings.ts';

interface PlayedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Which connection it came on, counted from 1. */
  readonly connection: number;
}

/** What goes over the wire for one request. */
export interface WireReply {
  readonly bytes: Buffer;
  /** True where the server closed the connection after it. */
  readonly closes: boolean;
}

export interface RecordingsServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, or https. */
  readonly url: string;
  readonly requests: readonly PlayedRequest[];
}

export interface RecordingsServerOptions {
  /** Which recording answers a request, e.g. `v1.36.2/20-list/full`, or bytes of the test's own. */
  readonly answer: (request: PlayedRequest) => string | WireReply;
  /** Writes the answer in pieces of so many bytes, each a write of its own. Default: as one. */
  readonly pieceBytes?: number;
  /** PEM; without it the server speaks plain HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** Starts it on a free loopback port. It knows requests without a body and with Content-Length. */
export async function startRecordingsServer(options: RecordingsServerOptions): Promise<RecordingsServer> {
  const requests: PlayedRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const accept = (socket: Socket): void => {
    connections += 1;
    sockets.add(socket);
    socket.setNoDelay(true).on('close', () => sockets.delete(socket));
    // A client that leaves in the middle is its own business.
    socket.on('error', () => socket.destroy());
    void serve(socket, connections, options, requests).catch((error: unknown) => socket.destroy(error as Error));
  };
  const server: Server = options.tls === undefined ? createServer(accept) : createTlsServer(options.tls, accept);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const scheme = options.tls === undefined ? 'http' : 'https';
  return {
    url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** The response side of a recorded HTTP/1.1 exchange: as NAME.raw has it, else (or if `framed`) built from the others. */
export function wireReply(name: string, { framed = false }: { framed?: boolean } = {}): WireReply {
  if (recordings === undefined) throw new Error('MK8S_RECORDINGS is not set: guard with skipIf(!recordings)');
  const file = join(recordings, name);
  const timing = existsSync(`${file}.timing`) ? readFileSync(`${file}.timing`, 'utf8') : '';
  const cut = /\tFIN\t/.test(timing);
  if (!framed && existsSync(`${file}.raw`)) return { bytes: readFileSync(`${file}.raw`), closes: cut };
  const response = readFileSync(`${file}.res`);
  const start = response.indexOf('\r\n\r\n') + 4;
  const head = response.subarray(0, start).toString('latin1');
  if (!head.startsWith('HTTP/1.1 ')) throw new Error(`${name} is not an HTTP/1.1 recording`);
  const closes = cut || /^connection: close\r$/im.test(head);
  if (!/^transfer-encoding: chunked\r$/im.test(head)) return { bytes: response, closes };
  const sizes = Array.from(timing.matchAll(/\tCHUNK\t(\d+)/g), ([, size]) => Number(size));
  const body = chunks(response.subarray(start), sizes);
  return { bytes: Buffer.concat([response.subarray(0, start), ...body, ...(cut ? [] : [lastChunk])]), closes };
}

const lastChunk = Buffer.from('0\r\n\r\n');

/** Frames a body in chunks of these sizes, then of 2,048 bytes, which is what the API server makes of a long answer. */
function chunks(body: Buffer, sizes: readonly number[]): Buffer[] {
  const framed: Buffer[] = [];
  for (let at = 0, n = 0; at < body.byteLength; n += 1) {
    const chunk = body.subarray(at, at + (sizes[n] ?? 2048));
    framed.push(Buffer.from(`${chunk.byteLength.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
    at += chunk.byteLength;
  }
  return framed;
}

/** Reads one request after the other on a connection and answers each before it reads on. */
async function serve(
  socket: Socket,
  connection: number,
  { answer, pieceBytes }: RecordingsServerOptions,
  requests: PlayedRequest[],
): Promise<void> {
  let pending = Buffer.alloc(0);
  for await (const data of socket) {
    pending = Buffer.concat([pending, data as Buffer]);
    for (let parsed = parseRequest(pending); parsed !== undefined; parsed = parseRequest(pending)) {
      pending = pending.subarray(parsed.length);
      const request = { ...parsed.request, connection };
      requests.push(request);
      const reply = answer(request);
      const { bytes, closes } = typeof reply === 'string' ? wireReply(reply) : reply;
      await writePieces(socket, bytes, pieceBytes ?? bytes.byteLength);
      if (closes) {
        socket.end();
        return;
      }
    }
  }
}

function parseRequest(bytes: Buffer): { request: Omit<PlayedRequest, 'connection'>; length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const length = end + 4 + Number(headers['content-length'] ?? 0);
  if (bytes.byteLength < length) return undefined;
  const [method = '', target = ''] = first.split(' ');
  return { request: { method, target, headers }, length };
}

/** Each piece is handed to the kernel before the next, so that the reader gets them one by one where it keeps up. */
async function writePieces(socket: Socket, bytes: Buffer, size: number): Promise<void> {
  for (let at = 0; at < bytes.byteLength; at += size) {
    await new Promise<void>((resolve, reject) => {
      socket.write(bytes.subarray(at, at + size), (error) => (error ? reject(error) : resolve()));
    });
    if (size < bytes.byteLength) await new Promise(setImmediate);
  }
}

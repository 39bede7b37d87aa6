// What a server gives a client: so much time, so many headers. Against clients that send slowly or never end.
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpHandler } from '../../ports/http.ts';

/** The most that a request's line and headers may take, bytes: an ID token in two headers, and the platform's own. */
export const HEADER_BYTES = 32_768;
/** For the headers, and for the whole request with its body, milliseconds. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 20_000;
/** How long a connection may be idle: longer than a load balancer keeps it, so that it is the one who ends it (10 min at Google's). */
const KEEP_ALIVE_MS = 620_000;
const MOST_HEADERS = 100;
/** Connections at a time; the operating system queues no more than this either. */
const MOST_CONNECTIONS = 12_000;

/** How often slow requests are looked for, milliseconds; only where the server is made. */
export const CHECK_MS = 1_000;

export function limitServer(server: Server, handler: HttpHandler): void {
  server.headersTimeout = HEADERS_MS;
  server.requestTimeout = REQUEST_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.maxHeadersCount = MOST_HEADERS;
  server.maxConnections = MOST_CONNECTIONS;
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuse(error, socket as Socket, handler));
}

/** What is not HTTP, or too large or slow to become a request, is told so in the one shape, and its connection ends. */
function refuse(error: NodeJS.ErrnoException, socket: Socket, handler: HttpHandler): void {
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const { headers, body } = handler.refuse(status);
  const lines = Object.entries({ ...headers, connection: 'close', 'content-length': String(Buffer.byteLength(body)) });
  const reason = { 400: 'Bad Request', 408: 'Request Timeout', 431: 'Request Header Fields Too Large' }[status];
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
  );
}

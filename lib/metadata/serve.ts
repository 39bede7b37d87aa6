// The metadata server's socket: bounds on what a client may cost, the headers that every answer has, and an orderly end.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { Mk8sError, messageOf } from '../model/errors.ts';
import type { Report } from '../ports/reporter.ts';
import { answerOf, type MetadataAnswer, type MetadataService } from './answer.ts';
import type { MetadataSource } from './metadata-source.ts';
import { metadataTree } from './tree.ts';

export interface MetadataServerOptions {
  readonly source: MetadataSource;
  /** An IP address. */
  readonly address: string;
  /** 0: one that is free. */
  readonly port: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly report: Report;
}

export interface RunningMetadataServer {
  /** `127.0.0.1:15021`, as GCE_METADATA_HOST wants it. */
  readonly host: string;
  /** Answers what was asked, for 5 s at most, then closes all connections. */
  stop(): Promise<void>;
}

/** A request of Google's libraries has under 1 KiB of headers and no body. */
const MOST_HEADER_BYTES = 16 * 1024;
const MOST_CONNECTIONS = 500;
const SLOWEST_REQUEST_MS = 10_000;
const LONGEST_STOP_MS = 5_000;

/** Throws Mk8sError `config` where the address cannot be listened on. */
export async function serveMetadata(options: MetadataServerOptions): Promise<RunningMetadataServer> {
  const { source, address, port, now, report } = options;
  const over = new AbortController();
  const service: MetadataService = { root: metadataTree(source), tokens: source.tokens, now, signal: over.signal };
  const server = createServer(
    { maxHeaderSize: MOST_HEADER_BYTES, requestTimeout: SLOWEST_REQUEST_MS, headersTimeout: SLOWEST_REQUEST_MS },
    (request, response) => {
      respond(request, response, service, report).catch((error: unknown) => {
        report({ severity: 'ERROR', message: `The metadata server failed to answer: ${messageOf(error)}` });
        response.destroy();
      });
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  await listen(server, address, port);
  const { port: actual } = server.address() as AddressInfo;
  return {
    host: `${isIPv6(address) ? `[${address}]` : address}:${actual}`,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      const late = setTimeout(() => {
        over.abort(new Error('the metadata server ends'));
        server.closeAllConnections();
      }, LONGEST_STOP_MS);
      await closed;
      clearTimeout(late);
      over.abort(new Error('the metadata server ended'));
    },
  };
}

async function listen(server: Server, address: string, port: number): Promise<void> {
  server.listen({ host: address, port });
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === 'EADDRINUSE'
        ? 'another program listens there'
        : code === 'EACCES'
          ? 'it may not be used'
          : messageOf(error);
    throw new Mk8sError(
      `Cannot serve metadata at ${address}, port ${port}: ${why}. Choose another with --port or --address`,
      { code: 'config', cause: error },
    );
  }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  service: MetadataService,
  report: Report,
): Promise<void> {
  const { method = '', url: target = '', headers } = request;
  // A body is not read: whoever sends one has to close the connection.
  request.resume();
  const answer = await answerOf({ method, target, headers }, service);
  tell(answer, report);
  // The client went away while a token was fetched.
  if (response.destroyed) return;
  response.writeHead(answer.status, {
    ...answer.headers,
    'content-length': Buffer.byteLength(answer.body),
    // On every answer, errors too: that is how a client knows whom it talks to.
    'metadata-flavor': 'Google',
    server: 'mk8s metadata',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'SAMEORIGIN',
    ...(answer.status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(method === 'HEAD' ? undefined : answer.body);
}

function tell({ status, note }: MetadataAnswer, report: Report): void {
  if (note === undefined) return;
  const severity = status < 400 ? 'INFO' : status >= 500 ? 'ERROR' : 'WARNING';
  report({ severity, message: note, details: { status } });
}

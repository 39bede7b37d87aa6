// Unary gRPC calls on loopback, as far as tests answer them: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
import { once } from 'node:events';
import { createSecureServer, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

/** An answer of a server: a message, or a status other than OK. */
export type GrpcAnswer = { readonly message: Uint8Array } | GrpcStatus;

export interface GrpcStatus {
  /** https://grpc.io/docs/guides/status-codes/ */
  readonly code: number;
  readonly details: string;
  /** Google's ErrorInfo.reason, e.g. `SERVICE_DISABLED`. */
  readonly reason?: string;
}

export interface GrpcCall {
  /** `/google.pubsub.v1.Publisher/Publish`. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly message: Buffer;
}

export interface GrpcServer extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
}

/** Serves calls, over TLS where a certificate is given; an answer that is late is one that `answer` takes its time for. */
export async function serveGrpc(
  answer: (call: GrpcCall) => GrpcAnswer | Promise<GrpcAnswer>,
  tls?: { readonly certificate: string; readonly key: string },
): Promise<GrpcServer> {
  const server: Http2Server =
    tls === undefined ? createServer() : createSecureServer({ cert: tls.certificate, key: tls.key });
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    // A client that goes away in the middle is none of our business.
    session.on('error', () => session.destroy());
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => stream.destroy());
    void serve(stream, {
      path: headers[':path'] ?? '',
      authorization: headers.authorization,
      answer,
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}

async function serve(
  stream: ServerHttp2Stream,
  {
    path,
    authorization,
    answer,
  }: Omit<GrpcCall, 'message'> & { answer: (call: GrpcCall) => GrpcAnswer | Promise<GrpcAnswer> },
): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  // One message, not compressed: a byte of flags and four of length before it.
  const message = Buffer.concat(parts).subarray(5);
  const given = await answer({ path, authorization, message });
  if (stream.destroyed) return;
  if (!('message' in given)) {
    const { code, details } = given;
    const more = given.reason === undefined ? {} : { 'grpc-status-details-bin': statusDetails(given, given.reason) };
    stream.respond(
      {
        ':status': 200,
        'content-type': 'application/grpc',
        'grpc-status': code,
        'grpc-message': details.replaceAll(/[^\x20-\x7e]|%/gu, encodeURIComponent),
        ...more,
      },
      { endStream: true },
    );
    return;
  }
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(given.message.byteLength, 1);
  stream.end(Buffer.concat([head, given.message]));
}

/** google.rpc.Status with an ErrorInfo, base64: https://cloud.google.com/apis/design/errors#error_details */
function statusDetails({ code, details }: GrpcStatus, reason: string): string {
  const info = Buffer.concat([field(1, reason), field(2, 'googleapis.com')]);
  const any = Buffer.concat([field(1, 'type.googleapis.com/google.rpc.ErrorInfo'), field(2, info)]);
  return Buffer.concat([Buffer.from([0x08, code]), field(2, details), field(3, any)]).toString('base64');
}

/** A field of Protocol Buffers that has a length: https://protobuf.dev/programming-guides/encoding/ */
export function field(number: number, value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  const length: number[] = [];
  for (let rest = bytes.byteLength; ; rest >>>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}

// The TLS socket side: HTTP/2 and HTTP/1.1 on one port, and connections that can be torn down on purpose.
import { once } from 'node:events';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Request, Response } from './reply.ts';

export interface ListenerOptions {
  readonly cert: string;
  readonly key: string;
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
  /** Tried first where `port` is 0. */
  readonly preferredPort: number;
  /** Offer HTTP/2 (ALPN h2) beside HTTP/1.1. */
  readonly http2: boolean;
}

export class Listener {
  readonly #server: Http2SecureServer;
  readonly #sockets = new Set<Socket>();
  readonly #host: string;
  #port: number;
  #preferredPort: number;

  constructor(options: ListenerOptions, handle: (request: Request, response: Response) => void) {
    this.#host = options.host;
    this.#port = options.port;
    this.#preferredPort = options.preferredPort;
    this.#server = createSecureServer(
      {
        cert: options.cert,
        key: options.key,
        allowHTTP1: true,
        ...(options.http2 ? {} : { ALPNProtocols: ['http/1.1'] }),
        settings: { maxConcurrentStreams: 1000 },
      },
      handle,
    );
    // An idle connection stays open, as it does with the real server.
    Object.assign(this.#server, { keepAliveTimeout: 0 });
    this.#server.on('connection', (socket: Socket) => {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      // A client that goes away, or a connection dropped on purpose, is not this server's problem.
      socket.on('error', () => undefined);
    });
    this.#server.on('secureConnection', (socket) => socket.on('error', () => undefined));
    this.#server.on('session', (session) => session.on('error', () => undefined));
    this.#server.on('sessionError', () => undefined);
  }

  get port(): number {
    return this.#port;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Listens on the given port; the first time on port 0, and ever after, on the one it got. */
  async listen(): Promise<void> {
    const preferred = this.#port === 0 ? this.#preferredPort : 0;
    try {
      await this.#bind(preferred === 0 ? this.#port : preferred);
    } catch (error) {
      if (preferred === 0 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      await this.#bind(0);
    }
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async #bind(port: number): Promise<void> {
    this.#server.listen(port, this.#host);
    await once(this.#server, 'listening');
  }

  /** Stops listening and tears down all connections. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.drop();
    await closed;
  }

  /** Resets every connection. */
  drop(): void {
    for (const socket of this.#sockets) {
      socket.resetAndDestroy();
      socket.destroy();
    }
  }
}

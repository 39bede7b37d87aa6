// An HTTP(S) server of the test's own on a free loopback port, that is gone with the test.
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';

export interface LoopbackServer extends AsyncDisposable {
  readonly url: URL;
  readonly port: number;
  /** Connections accepted so far. */
  readonly connections: () => number;
  /** Ends all connections at once, as a crash does. */
  dropConnections(): void;
}

export async function serveHttp(listener: RequestListener): Promise<LoopbackServer> {
  return await listen(createHttpServer({ keepAliveTimeout: 60_000 }, listener), 'http');
}

export async function serveHttps(options: ServerOptions, listener: RequestListener): Promise<LoopbackServer> {
  return await listen(createHttpsServer({ keepAliveTimeout: 60_000, ...options }, listener), 'https');
}

export async function serveTcp(onConnection: (socket: Socket) => void): Promise<LoopbackServer> {
  return await listen(
    createTcpServer((socket) => {
      // Tests drop connections on purpose.
      socket.on('error', () => socket.destroy());
      onConnection(socket);
    }),
    'http',
  );
}

/** A port on which nothing listens (any more). */
export async function closedPort(): Promise<number> {
  await using server = await serveTcp((socket) => socket.destroy());
  return server.port;
}

async function listen(server: Server | TcpServer, scheme: string): Promise<LoopbackServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const dropConnections = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: new URL(`${scheme}://127.0.0.1:${port}`),
    port,
    connections: () => connections,
    dropConnections,
    [Symbol.asyncDispose]: async () => {
      dropConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

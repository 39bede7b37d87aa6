// Real proxies on loopback that write down what they were asked.
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { serveTcp } from './loopback-server.ts';

export interface Proxy extends AsyncDisposable {
  readonly url: URL;
  /** HOST:PORT of each tunnel that was asked for. */
  readonly asked: readonly string[];
}

/** An HTTP CONNECT proxy; with a certificate, over TLS. With another status than 200 it refuses. */
export async function serveConnectProxy(
  options: ServerOptions = {},
  status = 200,
): Promise<Proxy & { readonly authorizations: readonly (string | undefined)[] }> {
  const asked: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const open = new Set<Duplex>();
  const server: Server = options.cert === undefined ? createServer() : createHttpsServer(options);
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    asked.push(request.url ?? '');
    authorizations.push(request.headers['proxy-authorization']);
    if (status !== 200) {
      socket.end(`HTTP/1.1 ${status} Nope\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    join(socket, connect(Number(port), hostname), () => socket.write('HTTP/1.1 200 Connection established\r\n\r\n'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`${options.cert === undefined ? 'http' : 'https'}://127.0.0.1:${port}`),
    asked,
    authorizations,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A SOCKS5 proxy (RFC 1928) without authentication. `reach` opens the connection; undefined: refused by rule. */
export async function serveSocksProxy(
  reach: (host: string, port: number) => Socket | undefined = (host, port) => connect(port, host),
): Promise<Proxy> {
  const asked: string[] = [];
  const server = await serveTcp((socket) => {
    socket.once('data', () => {
      socket.write(Buffer.from([5, 0]));
      socket.once('data', (request: Buffer) => {
        const { host, port } = destination(request);
        asked.push(`${host}:${port}`);
        const onward = reach(host, port);
        const reply = (code: number): Buffer => Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
        if (onward === undefined) socket.end(reply(2));
        else join(socket, onward, () => socket.write(reply(0)));
      });
    });
  });
  return {
    url: new URL(`socks5://127.0.0.1:${server.port}`),
    asked,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function destination(request: Buffer): { host: string; port: number } {
  const type = request[3];
  if (type === 1) return { host: [...request.subarray(4, 8)].join('.'), port: request.readUInt16BE(8) };
  const length = request[4] ?? 0;
  return { host: request.toString('latin1', 5, 5 + length), port: request.readUInt16BE(5 + length) };
}

function join(near: Duplex, far: Socket, onConnect: () => void): void {
  far.once('connect', () => {
    onConnect();
    far.pipe(near);
    near.pipe(far);
  });
  // When one side goes, so does the other.
  for (const [side, opposite] of [
    [near, far],
    [far, near],
  ] as const) {
    side.on('error', () => opposite.destroy());
    side.on('close', () => opposite.destroy());
  }
}

// HTTP/1.1 or HTTP/2? Measures both on what a watching client does, over TLS on loopback, the server in a process of
// its own: fifty watches of small events, a list of 20 MB, 2,000 small GETs. `npm run bench -- --only transport`
// What decides is the client's processor time; the wall time includes a server written in JavaScript.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { openApiServer } from '../lib/adapters/kubernetes/transport.ts';
import { ChunkQueue } from '../lib/async/chunk-queue.ts';
import { createAuthority } from '../test/support/certificates.ts';
import { type BenchOptions, type BenchRow, benchRow } from './report.ts';

const WATCHES = 50;
const EVENTS_PER_WATCH = 4000;
const EVENT = Buffer.from(`${JSON.stringify({ type: 'MODIFIED', object: { spec: 'x'.repeat(450) } })}\n`);
const LIST_BYTES = 20_000_000;
const GETS = 2000;

if (process.argv[2] === 'serve') serve();

interface Exchange {
  /** Sizes as kube-apiserver's in a burst: chunks of 2 KiB (HTTP/1.1), DATA frames of 4 KiB (HTTP/2), both in 4 KiB writes. */
  readonly body: Buffer;
}

// Both protocols are replayed from prepared bytes, so that neither is measured by its server: the path is not looked
// at, the parent says by message what to answer.
function serve(): void {
  const authority = createAuthority();
  const { certificate, key } = authority.issue({ commonName: 'server', names: ['127.0.0.1'] });
  let exchange: Exchange = { body: EVENT };
  process.on('message', (bytes: number) => {
    exchange = { body: Buffer.alloc(bytes, EVENT) };
    process.send?.('ready');
  });
  const server = createServer(
    { cert: certificate, key, ALPNProtocols: ['h2', 'http/1.1'], noDelay: true },
    (socket) => {
      socket.setMaxListeners(0).on('error', () => socket.destroy());
      if (socket.alpnProtocol === 'h2') replayHttp2(socket, () => exchange);
      else replayHttp1(socket, () => exchange);
    },
  );
  server.listen(0, '127.0.0.1', () => {
    process.send?.({ port: (server.address() as AddressInfo).port, ca: authority.certificate });
  });
  process.on('disconnect', () => process.exit());
}

function replayHttp1(socket: TLSSocket, exchange: () => Exchange): void {
  let head = '';
  socket.on('data', (data: Buffer) => {
    head += data.toString('latin1');
    if (!head.includes('\r\n\r\n')) return;
    head = '';
    const { body } = exchange();
    if (body.byteLength < 2048) {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.byteLength}\r\n\r\n${body.toString()}`);
      return;
    }
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = (piece: Buffer): Buffer =>
      Buffer.concat([Buffer.from(`${piece.byteLength.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);
    const writes = pieces(body, 4096).map((piece) => Buffer.concat(pieces(piece, 2048).map(chunk)));
    void writeAll(socket, [...writes, Buffer.from('0\r\n\r\n')]);
  });
}

// As much of RFC 9113 as node:http2's client needs of a server that never says no; :status 200 is HPACK's index 8.
function replayHttp2(socket: TLSSocket, exchange: () => Exchange): void {
  const PREFACE_BYTES = 24;
  let input = Buffer.alloc(0);
  let prefaced = false;
  socket.write(frame(4, 0, 0, Buffer.alloc(0)));
  socket.on('data', (data: Buffer) => {
    input = Buffer.concat([input, data]);
    if (!prefaced) {
      if (input.byteLength < PREFACE_BYTES) return;
      prefaced = true;
      input = input.subarray(PREFACE_BYTES);
    }
    while (input.byteLength >= 9) {
      const size = input.readUIntBE(0, 3);
      if (input.byteLength < 9 + size) return;
      const [type, flags, stream] = [input[3], input[4] ?? 0, input.readUInt32BE(5)];
      input = input.subarray(9 + size);
      if (type === 4 && (flags & 1) === 0) socket.write(frame(4, 1, 0, Buffer.alloc(0)));
      if (type !== 1) continue;
      const parts = pieces(exchange().body, 4096);
      const writes = parts.map((piece, at) => frame(0, at === parts.length - 1 ? 1 : 0, stream, piece));
      void writeAll(socket, [frame(1, 4, stream, Buffer.from([0x88])), ...writes]);
    }
  });
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.byteLength, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function pieces(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.byteLength / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  );
}

async function writeAll(socket: TLSSocket, writes: readonly Buffer[]): Promise<void> {
  for (const bytes of writes) if (!socket.write(bytes)) await once(socket, 'drain');
}

interface Client {
  get(): Promise<AsyncIterable<readonly Uint8Array[]>>;
  close(): Promise<void>;
}

export async function benchTransport({ runs = 5, log = () => {} }: BenchOptions = {}): Promise<BenchRow[]> {
  const child = fork(import.meta.filename, ['serve']);
  const [{ port, ca }] = (await once(child, 'message')) as [{ port: number; ca: string }];
  const url = new URL(`https://127.0.0.1:${port}`);
  const clients = { http1: () => http1(url, ca), http2: () => http2(url, ca) };
  const watchBytes = EVENT.byteLength * EVENTS_PER_WATCH;
  const work = [
    { what: `opening ${WATCHES} watches`, bytes: EVENT.byteLength, total: WATCHES, width: WATCHES },
    { what: `${WATCHES} watches of ${EVENTS_PER_WATCH} events`, bytes: watchBytes, total: WATCHES, width: WATCHES },
    { what: 'a list of 20 MB', bytes: LIST_BYTES, total: 1, width: 1 },
    { what: `${GETS} GETs, one after the other`, bytes: EVENT.byteLength, total: GETS, width: 1 },
    { what: `${GETS} GETs, twenty at a time`, bytes: EVENT.byteLength, total: GETS, width: 20 },
  ];
  const rows: BenchRow[] = [];
  for (const { what, bytes, total, width } of work) {
    child.send(bytes);
    await once(child, 'message');
    const results: Record<keyof typeof clients, Exchanged[]> = { http1: [], http2: [] };
    for (let round = 0; round <= runs; round++) {
      for (const name of ['http1', 'http2'] as const) {
        const client = clients[name]();
        const result = await timed(() => inParallel(total, width, () => drain(client, bytes)));
        await client.close();
        // The first round warms up.
        if (round > 0) results[name].push(result);
      }
    }
    log(`transport, ${what}: ${runs} runs of each`);
    const row = (unit: string, figure: keyof Exchanged): BenchRow =>
      benchRow({
        what: `HTTP/1.1: ${what}`,
        unit,
        ours: results.http1.map((one) => one[figure]),
        peer: { name: 'HTTP/2', runs: results.http2.map((one) => one[figure]) },
      });
    rows.push(row('ms', 'wall'), row("ms of the client's CPU", 'cpu'));
  }
  child.disconnect();
  return rows;
}

/** Milliseconds. */
interface Exchanged {
  readonly wall: number;
  readonly cpu: number;
}

function http1(server: URL, ca: string): Client {
  const api = openApiServer({ server, tls: { ca: { pem: ca } }, compression: false });
  return { get: async () => (await api.request({ path: '/' })).body, close: () => api.close() };
}

function http2(server: URL, ca: string): Client {
  const session: ClientHttp2Session = connect(server, {
    ca,
    settings: { enablePush: false, initialWindowSize: 2 ** 31 - 1 },
  });
  // The replay does not count windows, so they are as large as can be; that flatters HTTP/2.
  session.on('connect', () => session.setLocalWindowSize(2 ** 31 - 1));
  return {
    get: async () => {
      const stream = session.request({ ':path': '/' });
      const queue = new ChunkQueue({
        windowBytes: 1024 * 1024,
        pause: () => stream.pause(),
        resume: () => stream.resume(),
      });
      await once(stream, 'response');
      stream.on('data', (chunk: Buffer) => queue.push(chunk));
      stream.on('end', () => queue.end());
      return batches(queue);
    },
    close: () => new Promise((resolve) => session.close(resolve)),
  };
}

async function* batches(queue: ChunkQueue): AsyncGenerator<readonly Uint8Array[]> {
  for (let batch = await queue.take(); batch !== undefined; batch = await queue.take()) yield batch;
}

async function drain(client: Client, expected: number): Promise<void> {
  let bytes = 0;
  for await (const batch of await client.get()) for (const chunk of batch) bytes += chunk.byteLength;
  if (bytes !== expected) throw new Error(`${bytes} bytes came instead of ${expected}`);
}

async function inParallel(total: number, width: number, work: () => Promise<void>): Promise<void> {
  let started = 0;
  const lane = async (): Promise<void> => {
    while (started < total) {
      started += 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}

async function timed(work: () => Promise<void>): Promise<Exchanged> {
  const before = process.cpuUsage();
  const start = performance.now();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { wall: performance.now() - start, cpu: (user + system) / 1000 };
}

import { createHash } from 'node:crypto';
import { connect, Socket } from 'node:net';
import { expect, test } from 'vitest';
import { openApiServer } from '../../../lib/adapters/kubernetes/transport.ts';
import { beginWindow, endWindow, reusingReads } from '../../../lib/adapters/kubernetes/transport-read.ts';
import { createAuthority } from '../../support/certificates.ts';
import { type LoopbackServer, serveHttp, serveHttps, serveTcp } from '../../support/loopback-server.ts';
import { seededRandom } from '../../support/seeded-random.ts';

/** Bytes of which no two places look alike. */
function noise(seed: number, length: number): Buffer {
  const random = seededRandom(seed);
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
}

function digest(bytes: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const piece of bytes) hash.update(piece);
  return hash.digest('hex');
}

test('what comes before anybody listens, while the socket is paused, and later, comes whole and in order', async () => {
  const sent = noise(1, 1_000_000);
  await using server = await serveTcp((socket) => {
    // Each time it is asked, more.
    const pieces = [sent.subarray(0, 10_000), sent.subarray(10_000, 20_000), sent.subarray(20_000)];
    socket.on('data', () => socket.write(pieces.shift() ?? ''));
  });
  const socket = reusingReads('by window', (read) => connect({ host: '127.0.0.1', port: server.port, ...read }));
  for (const length of [10_000, 20_000]) {
    socket.write('more');
    await expect.poll(() => socket.readableLength).toBe(length);
  }
  const got: Buffer[] = [];
  let bytes = 0;
  const whole = Promise.withResolvers<void>();
  socket.on('data', (chunk: Buffer) => {
    got.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes >= sent.length) whole.resolve();
    // Every so often nobody wants more for now.
    if (got.length % 3 === 0) {
      socket.pause();
      setImmediate(() => socket.resume());
    }
  });
  socket.write('more');
  await whole.promise;
  expect(digest(got)).toBe(digest([sent]));
  socket.destroy();
});

test('promise 7: a read is a part of the window, more than Node reads at a time where the window is large', async () => {
  const sent = noise(2, 800_000);
  const written = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await using server = await serveTcp((socket) => {
    let times = 0;
    socket.on('data', () => {
      const { resolve } = written[times++] as PromiseWithResolvers<void>;
      socket.write(sent, () => resolve());
    });
  });
  const socket = reusingReads('by window', (read) => connect({ host: '127.0.0.1', port: server.port, ...read }));
  async function readsOf(n: number): Promise<number[]> {
    socket.pause();
    socket.write('more');
    await written[n]?.promise;
    const lengths: number[] = [];
    const whole = Promise.withResolvers<void>();
    const count = (chunk: Buffer): void => {
      lengths.push(chunk.length);
      if (lengths.reduce((sum, length) => sum + length, 0) >= sent.length) whole.resolve();
    };
    socket.on('data', count);
    socket.resume();
    await whole.promise;
    socket.off('data', count);
    return lengths;
  }
  expect(beginWindow(socket, 200_000)).toBe(150_000);
  const large = Math.max(...(await readsOf(0)));
  expect(large).toBeGreaterThan(64 * 1024);
  expect(large).toBeLessThanOrEqual(150_000);
  endWindow(socket);
  expect(Math.max(...(await readsOf(1)).slice(2))).toBeLessThanOrEqual(64 * 1024);
  socket.destroy();
});

test.each([
  ['one of 32 KiB', 32 * 1024, 24 * 1024],
  ['one of 4 MiB', 4 * 1024 * 1024, 1024 * 1024],
])('promise 7: of a window a part is left for what arrives before the next read (%s)', (_, window, read) => {
  const socket = reusingReads('by window', ({ onread }) => Object.assign(new Socket(), { onread }));
  expect(beginWindow(socket, window)).toBe(read);
  const fixed = reusingReads('fixed', ({ onread }) => Object.assign(new Socket(), { onread }));
  expect(beginWindow(fixed, window)).toBe(Math.min(64 * 1024, window / 2));
});

const authority = createAuthority();
const loopback = authority.issue({ commonName: 'server', names: ['127.0.0.1'] });

test.each(['plain', 'TLS'])(
  'bodies that come at once on many connections are whole, however late they are read (%s)',
  async (how) => {
    const bodies = Array.from({ length: 6 }, (_, n) => noise(n, 700_000));
    const listener: Parameters<typeof serveHttp>[0] = (request, response) => {
      const body = bodies[Number(request.url?.slice(1))] ?? Buffer.alloc(0);
      for (let at = 0; at < body.length; at += 30_001) response.write(body.subarray(at, at + 30_001));
      response.end();
    };
    await using server: LoopbackServer =
      how === 'plain'
        ? await serveHttp(listener)
        : await serveHttps({ cert: loopback.certificate, key: loopback.key }, listener);
    const api = openApiServer({
      server: server.url,
      tls: { ca: { pem: authority.certificate } },
      windowBytes: 200_000,
    });
    const answers = await Promise.all(bodies.map((_, n) => api.request({ path: `/${n}` })));
    const read = await Promise.all(
      answers.map(async ({ body }) => {
        const chunks: Uint8Array[] = [];
        for await (const batch of body) chunks.push(...batch);
        return digest(chunks);
      }),
    );
    expect(read).toEqual(bodies.map((body) => digest([body])));
    await api.close();
  },
);

import { getEventListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { anonymous, type Credential, type Credentials } from '../../../lib/adapters/kubernetes/credentials.ts';
import { type ConnectionOptions, openApiServer } from '../../../lib/adapters/kubernetes/transport.ts';
import type { ApiServer } from '../../../lib/ports/api-server.ts';
import { closedPort, type LoopbackServer, serveHttp, serveTcp } from '../../support/loopback-server.ts';
import { readText } from '../../support/read-body.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

interface Endpoint extends AsyncDisposable {
  readonly server: LoopbackServer;
  readonly api: ApiServer;
}

async function endpoint(handler: Handler, options: Partial<ConnectionOptions> = {}): Promise<Endpoint> {
  const server = await serveHttp(handler);
  const api = openApiServer({ server: server.url, ...options });
  return {
    server,
    api,
    [Symbol.asyncDispose]: async () => {
      await api.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

const echo: Handler = (request, response) => {
  const body: Buffer[] = [];
  request.on('data', (chunk: Buffer) => body.push(chunk));
  request.on('end', () => {
    const { method, url, headers } = request;
    response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(body).toString() }));
  });
};

async function echoed(api: ApiServer, request: Parameters<ApiServer['request']>[0]) {
  return JSON.parse(await readText(await api.request(request))) as {
    method: string;
    url: string;
    headers: Record<string, string>;
    body: string;
  };
}

describe('a request', () => {
  test('carries method, path under the prefix of the server URL, query, headers and body', async () => {
    await using server = await serveHttp(echo);
    const api = openApiServer({
      server: new URL('/k8s/clusters/c-1/', server.url),
      headers: { 'impersonate-user': 'jane', 'impersonate-group': ['dev', 'ops'] },
    });
    const { method, url, headers, body } = await echoed(api, {
      method: 'DELETE',
      path: '/apis/example.com/v1/widgets',
      query: { watch: true, limit: 5, labelSelector: 'a=b,c d', continue: undefined },
      headers: { Accept: 'application/json;as=Table', 'Content-Type': 'application/json' },
      body: '{"ü":1}',
    });
    expect({ method, url, body }).toEqual({
      method: 'DELETE',
      url: '/k8s/clusters/c-1/apis/example.com/v1/widgets?watch=true&limit=5&labelSelector=a%3Db%2Cc+d',
      body: '{"ü":1}',
    });
    expect(headers).toMatchObject({
      host: server.url.host,
      accept: 'application/json;as=Table',
      'content-type': 'application/json',
      'content-length': '8',
      'accept-encoding': 'gzip',
      'impersonate-user': 'jane',
      'impersonate-group': 'dev, ops',
    });
    expect(headers['user-agent']).toMatch(/^mk8s\/\d+\.\d+\.\d+$/);
    expect(headers).not.toHaveProperty('authorization');
    await api.close();
  });

  test('is answered with status, lower-case headers and body, whatever the status is', async () => {
    await using it = await endpoint((_, response) => {
      response.writeHead(500, { 'Content-Type': 'text/plain', 'X-Thing': ['a', 'b'] }).end('oh no');
    });
    const answer = await it.api.request({ path: '/' });
    expect(answer).toMatchObject({ status: 500, headers: { 'content-type': 'text/plain', 'x-thing': 'a, b' } });
    expect(await readText(answer)).toBe('oh no');
  });

  test('reuses the connection of the one before', async () => {
    await using it = await endpoint(echo);
    for (let i = 0; i < 3; i++) await echoed(it.api, { path: '/' });
    expect(it.server.connections()).toBe(1);
  });

  test('is not held up by any number of open watches', async () => {
    await using it = await endpoint((request, response) => {
      if (request.url === '/watch') response.writeHead(200).flushHeaders();
      else response.end('pong');
    });
    const stop = new AbortController();
    const watches = await Promise.all(
      Array.from({ length: 60 }, () => it.api.request({ path: '/watch', signal: stop.signal })),
    );
    expect(watches.map((watch) => watch.status)).toEqual(Array.from({ length: 60 }, () => 200));
    expect(await readText(await it.api.request({ path: '/ping' }))).toBe('pong');
    stop.abort();
  });

  test('that reads goes on another connection where the pooled one died unnoticed', async () => {
    await using it = await endpoint((request, response) => {
      // The second request of a connection is met by a closed door.
      const seen = ((request.socket as { seen?: number }).seen ?? 0) + 1;
      Object.assign(request.socket, { seen });
      if (seen > 1) request.socket.destroy();
      else response.end('fine');
    });
    for (let i = 0; i < 3; i++) expect(await readText(await it.api.request({ path: '/' }))).toBe('fine');
    const written = it.api.request({ method: 'POST', path: '/', body: '{}' });
    await expect(written).rejects.toMatchObject({ code: 'unreachable', retryable: true });
  });
});

describe('a body', () => {
  test('is decoded where it is gzip', async () => {
    const text = JSON.stringify(Array.from({ length: 20_000 }, (_, i) => `item ${i}`));
    await using it = await endpoint((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(text));
    });
    expect(await readText(await it.api.request({ path: '/' }))).toBe(text);
  });

  test('that says it is gzip and is not gives a protocol error', async () => {
    await using it = await endpoint((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('plain text');
    });
    const answer = await it.api.request({ path: '/' });
    await expect(readText(answer)).rejects.toMatchObject({
      code: 'protocol',
      message: expect.stringContaining('gzip'),
    });
  });

  test('that is less gzip than was compressed is an interruption, also where HTTP says it is whole', async () => {
    const whole = gzipSync('item '.repeat(1000));
    await using it = await endpoint((request, response) => {
      const cut = whole.subarray(0, Number(request.url?.slice(1)));
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': cut.length }).end(cut);
    });
    for (const length of [0, 5, whole.length - 12, whole.length - 1]) {
      const answer = await it.api.request({ path: `/${length}` });
      await expect(readText(answer)).rejects.toMatchObject({ code: 'interrupted', retryable: true });
    }
  });

  test('promise 7: is read at most a window ahead; then the sender is slowed', async () => {
    const total = 64 * 1024 * 1024;
    let sent = 0;
    let stuck = (): void => undefined;
    const sendingStopped = new Promise<void>((resolve) => {
      stuck = resolve;
    });
    await using it = await endpoint(
      (_, response) => {
        const chunk = Buffer.alloc(64 * 1024, 'x');
        let stopped: NodeJS.Timeout | undefined;
        const more = (): void => {
          clearTimeout(stopped);
          while (sent < total) {
            sent += chunk.byteLength;
            if (response.write(chunk)) continue;
            response.once('drain', more);
            // Slowed for good is what does not drain for long; a reader that does not slow the sender drains in between.
            stopped = setTimeout(stuck, 200);
            return;
          }
          response.end();
          stuck();
        };
        more();
      },
      { windowBytes: 256 * 1024 },
    );
    const answer = await it.api.request({ path: '/' });
    await sendingStopped;
    // Beside the window there are the kernel's socket buffers, some MB on loopback.
    expect(sent).toBeLessThan(total / 2);
    const batches: number[] = [];
    for await (const batch of answer.body) batches.push(batch.reduce((sum, chunk) => sum + chunk.byteLength, 0));
    // The rest of the window is for the read that was under way when the socket was paused.
    expect(batches[0]).toBeLessThanOrEqual(128 * 1024);
    expect(batches.reduce((sum, bytes) => sum + bytes, 0)).toBe(total);
  });

  test('that is cut off in the middle gives what arrived, then the error "interrupted"', async () => {
    await using server = await serveTcp((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n');
        socket.end();
      });
    });
    const api = openApiServer({ server: server.url });
    const received: string[] = [];
    const reading = (async () => {
      const answer = await api.request({ path: '/' });
      for await (const batch of answer.body) received.push(...batch.map((chunk) => Buffer.from(chunk).toString()));
    })();
    await expect(reading).rejects.toMatchObject({ code: 'interrupted', retryable: true });
    expect(received).toEqual(['whole']);
  });

  test.each([
    ['Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort'],
    [
      'gzip',
      'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n\x1f\x8b\x08\x00\x00\r\n',
    ],
  ])('of known form (%s) that is cut off is interrupted too', async (_, bytes) => {
    await using server = await serveTcp((socket) => {
      socket.once('data', () => socket.end(Buffer.from(bytes, 'latin1')));
    });
    const answer = await openApiServer({ server: server.url }).request({ path: '/' });
    await expect(readText(answer)).rejects.toMatchObject({ code: 'interrupted' });
  });

  test('with bytes behind its end is whole all the same', async () => {
    const head = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n';
    await using server = await serveTcp((socket) => {
      socket.once('data', () => socket.end(`${head}whole and more`));
    });
    const answer = await openApiServer({ server: server.url }).request({ path: '/' });
    expect(await readText(answer)).toBe('whole');
  });

  test('of a connection that is reset right behind the headers is interrupted', async () => {
    await using server = await serveTcp((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
        socket.resetAndDestroy();
      });
    });
    for (let i = 0; i < 5; i++) {
      const reading = openApiServer({ server: server.url }).request({ path: '/' }).then(readText);
      await expect(reading).rejects.toMatchObject({ retryable: true });
    }
  });

  test('that ends with the last chunk ends normally', async () => {
    await using server = await serveTcp((socket) => {
      socket.once('data', () => {
        socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n');
      });
    });
    expect(await readText(await openApiServer({ server: server.url }).request({ path: '/' }))).toBe('whole');
  });

  test('that is left early ends the connection', async () => {
    let closed = (): void => undefined;
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    await using it = await endpoint((request, response) => {
      request.socket.once('close', () => closed());
      response.write('one');
    });
    const answer = await it.api.request({ path: '/' });
    for await (const batch of answer.body) {
      expect(batch).toHaveLength(1);
      break;
    }
    await gone;
  });

  test('outlives a silence that is longer than idle connections live', async () => {
    await using it = await endpoint(
      (_, response) => {
        response.write('one');
        setTimeout(() => response.end('two'), 300);
      },
      { idleTimeoutMs: 50 },
    );
    expect(await readText(await it.api.request({ path: '/' }))).toBe('onetwo');
  });
});

describe('aborting', () => {
  test('ends a request that waits for its answer, with the reason of the signal', async () => {
    let arrived = (): void => undefined;
    const atServer = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    await using it = await endpoint(() => arrived());
    const stop = new AbortController();
    const waiting = it.api.request({ path: '/', signal: stop.signal });
    await atServer;
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(it.api.request({ path: '/', signal: stop.signal })).rejects.toBe(reason);
  });

  test('ends a body that waits for more, with the reason of the signal', async () => {
    await using it = await endpoint((_, response) => {
      response.write('one');
    });
    const stop = new AbortController();
    const answer = await it.api.request({ path: '/', signal: stop.signal });
    const reason = new Error('enough');
    const reading = (async () => {
      for await (const batch of answer.body) {
        expect(batch).toHaveLength(1);
        stop.abort(reason);
      }
    })();
    await expect(reading).rejects.toBe(reason);
  });

  test('closing ends requests under way and refuses new ones', async () => {
    await using it = await endpoint((_, response) => {
      response.write('one');
    });
    const answer = await it.api.request({ path: '/' });
    await it.api.close();
    await expect(readText(answer)).rejects.toMatchObject({ code: 'interrupted' });
    await expect(it.api.request({ path: '/' })).rejects.toMatchObject({ code: 'unreachable' });
  });
});

test('promise 7: requests and bodies that are done leave nothing on a signal that lives on', async () => {
  await using it = await endpoint(echo);
  const stop = new AbortController();
  for (let i = 0; i < 5; i++) await readText(await it.api.request({ path: '/', signal: stop.signal }));
  const left = await it.api.request({ path: '/', signal: stop.signal });
  for await (const batch of left.body) if (batch.length > 0) break;
  await expect.poll(() => getEventListeners(stop.signal, 'abort')).toHaveLength(0);
});

describe('a server that cannot be reached', () => {
  test('that refuses connections is unreachable, by name and address', async () => {
    const port = await closedPort();
    const api = openApiServer({ name: 'east', server: new URL(`https://127.0.0.1:${port}`) });
    await expect(api.request({ path: '/' })).rejects.toMatchObject({
      code: 'unreachable',
      retryable: true,
      message: expect.stringContaining(
        `Cannot reach cluster "east" (https://127.0.0.1:${port}): the connection was refused`,
      ),
    });
  });

  test('whose name does not resolve is unreachable', async () => {
    const api = openApiServer({ server: new URL('https://no-such-host.invalid') });
    await expect(api.request({ path: '/' })).rejects.toMatchObject({ code: 'unreachable', retryable: true });
  });

  test('that accepts and says nothing during the TLS handshake is unreachable after the connect timeout', async () => {
    await using server = await serveTcp(() => undefined);
    const api = openApiServer({ server: new URL(`https://127.0.0.1:${server.port}`), connectTimeoutMs: 50 });
    await expect(api.request({ path: '/' })).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('no connection was made within 0.05 s'),
    });
  });

  test('that takes a request and never answers is unreachable after the header timeout', async () => {
    await using it = await endpoint(() => undefined, { headersTimeoutMs: 50 });
    await expect(it.api.request({ path: '/' })).rejects.toMatchObject({
      code: 'unreachable',
      retryable: true,
      message: expect.stringContaining('no answer came within 0.05 s'),
    });
  });

  test('that closes the connection before it answers is unreachable', async () => {
    await using server = await serveTcp((socket) => {
      socket.once('data', () => socket.destroy());
    });
    const api = openApiServer({ server: server.url });
    await expect(api.request({ path: '/' })).rejects.toMatchObject({ code: 'unreachable', retryable: true });
  });

  test('that does not speak HTTP gives a protocol error', async () => {
    await using server = await serveTcp((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
    const api = openApiServer({ server: server.url });
    await expect(api.request({ path: '/' })).rejects.toMatchObject({ code: 'protocol', retryable: false });
  });
});

describe('credentials', () => {
  function counted(): Credentials & { readonly made: () => number } {
    let made = 1;
    let current: Credential = { headers: { authorization: 'Bearer t1' } };
    return {
      made: () => made,
      get: ({ fresh }) => {
        if (fresh) {
          made += 1;
          current = { headers: { authorization: `Bearer t${made}` } };
        }
        return Promise.resolve(current);
      },
    };
  }

  test('are sent with each request and renewed when asked for', async () => {
    const credentials = counted();
    await using it = await endpoint(echo, { credentials });
    expect((await echoed(it.api, { path: '/' })).headers['authorization']).toBe('Bearer t1');
    expect((await echoed(it.api, { path: '/', freshCredentials: true })).headers['authorization']).toBe('Bearer t2');
    expect((await echoed(it.api, { path: '/' })).headers['authorization']).toBe('Bearer t2');
  });

  test('that fifty requests saw refused are renewed once, and again only when the new one is refused', async () => {
    const credentials = counted();
    let good = 'Bearer t2';
    await using it = await endpoint(
      (request, response) => {
        response.writeHead(request.headers.authorization === good ? 200 : 401).end();
      },
      { credentials },
    );
    const ask = async (freshCredentials: boolean) => {
      const answer = await it.api.request({ path: '/', freshCredentials });
      await readText(answer);
      return answer.status;
    };
    expect(await ask(false)).toBe(401);
    for (let i = 0; i < 50; i++) expect(await ask(true)).toBe(200);
    expect(credentials.made()).toBe(2);
    good = 'Bearer t3';
    expect(await ask(false)).toBe(401);
    expect(await ask(true)).toBe(200);
    expect(credentials.made()).toBe(3);
  });

  test('promise 9: a token that cannot be sent is refused without being shown', async () => {
    const credential = { ...anonymous, headers: { authorization: 'Bearer se\ncret' } };
    await using it = await endpoint(echo, { credentials: { get: () => Promise.resolve(credential) } });
    const error: unknown = await it.api.request({ path: '/' }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'config' });
    expect(String(error)).not.toContain('se\ncret');
  });
});

test('an idle connection is closed after its time', async () => {
  let closed = (): void => undefined;
  const gone = new Promise<void>((resolve) => {
    closed = resolve;
  });
  await using it = await endpoint(
    (request, response) => {
      request.socket.once('close', closed);
      response.end();
    },
    { idleTimeoutMs: 50 },
  );
  await readText(await it.api.request({ path: '/' }));
  await gone;
  await readText(await it.api.request({ path: '/' }));
  expect(it.server.connections()).toBe(2);
});

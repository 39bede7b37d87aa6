import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { chooseProxy, proxyName } from '../../../lib/adapters/kubernetes/proxy-choice.ts';
import { type ConnectionOptions, openApiServer } from '../../../lib/adapters/kubernetes/transport.ts';
import { createAuthority } from '../../support/certificates.ts';
import { closedPort, type LoopbackServer, serveHttp, serveHttps, serveTcp } from '../../support/loopback-server.ts';
import { serveConnectProxy, serveSocksProxy } from '../../support/proxies.ts';
import { readText } from '../../support/read-body.ts';

const authority = createAuthority();
const loopback = authority.issue({ commonName: 'server', names: ['127.0.0.1'] });
const certified = { cert: loopback.certificate, key: loopback.key };
const tls = { ca: { pem: authority.certificate } };

function target(): Promise<LoopbackServer> {
  return serveHttps(certified, (_, response) => response.end('through'));
}

async function ask(options: ConnectionOptions, times = 1): Promise<string> {
  const api = openApiServer(options);
  try {
    let text = '';
    for (let i = 0; i < times; i++) text = await readText(await api.request({ path: '/' }));
    return text;
  } finally {
    await api.close();
  }
}

describe('an http proxy', () => {
  test('is asked for one tunnel, which the requests share', async () => {
    await using server = await target();
    await using proxy = await serveConnectProxy();
    expect(await ask({ server: server.url, tls, proxy: proxy.url }, 3)).toBe('through');
    expect(proxy.asked).toEqual([server.url.host]);
    expect(proxy.authorizations).toEqual([undefined]);
  });

  test('is given the user and password of its URL', async () => {
    await using server = await target();
    await using proxy = await serveConnectProxy();
    const url = new URL(proxy.url);
    url.username = 'jane';
    url.password = 'p@ss';
    expect(await ask({ server: server.url, tls, proxy: url })).toBe('through');
    expect(proxy.authorizations).toEqual([`Basic ${Buffer.from('jane:p@ss').toString('base64')}`]);
  });

  test('over TLS is verified with the CA of the cluster', async () => {
    await using server = await target();
    await using proxy = await serveConnectProxy(certified);
    expect(await ask({ server: server.url, tls, proxy: proxy.url })).toBe('through');
    const wrong = { ca: { pem: createAuthority('other').certificate } };
    await expect(ask({ server: server.url, tls: wrong, proxy: proxy.url })).rejects.toMatchObject({ code: 'tls' });
  });

  test.each([
    [407, 'credentials'],
    [403, 'unreachable'],
    [200, 'through'],
  ])('that answers %i gives %s', async (status, outcome) => {
    await using server = await target();
    await using proxy = await serveConnectProxy({}, status);
    const url = new URL(proxy.url);
    url.username = 'jane';
    url.password = 'hidden';
    const result: unknown = await ask({ server: server.url, tls, proxy: url }).catch((thrown: unknown) => thrown);
    if (outcome === 'through') {
      expect(result).toBe('through');
      return;
    }
    expect(result).toMatchObject({
      code: outcome,
      status,
      message: expect.stringContaining(`refused a tunnel to ${server.url.host}: ${status}`),
    });
    expect(String(result)).not.toContain('hidden');
  });

  test('that is not there is named as what cannot be reached', async () => {
    await using server = await target();
    const proxy = new URL(`http://127.0.0.1:${await closedPort()}`);
    await expect(ask({ server: server.url, tls, proxy })).rejects.toMatchObject({
      code: 'unreachable',
      retryable: true,
      message: expect.stringContaining(`proxy ${proxyName(proxy)}`),
    });
  });

  test('that never answers is given up after the connect timeout', async () => {
    await using proxy = await serveTcp(() => undefined);
    const server = new URL('https://10.0.0.1');
    await expect(ask({ server, tls, proxy: proxy.url, connectTimeoutMs: 50 })).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('no connection was made'),
    });
  });

  test('gets the whole URL of a plain http server', async () => {
    const seen: (string | undefined)[] = [];
    await using proxy = await serveHttp((request: IncomingMessage, response) => {
      seen.push(request.url, request.headers.host);
      response.end('from the proxy');
    });
    expect(await ask({ server: new URL('http://cluster.example:8080/prefix'), proxy: proxy.url })).toBe(
      'from the proxy',
    );
    expect(seen).toEqual(['http://cluster.example:8080/prefix/', 'cluster.example:8080']);
  });
});

describe('a socks5 proxy', () => {
  test('is asked for one connection, which the requests share', async () => {
    await using server = await target();
    await using proxy = await serveSocksProxy();
    expect(await ask({ server: server.url, tls, proxy: proxy.url }, 3)).toBe('through');
    expect(proxy.asked).toEqual([server.url.host]);
  });

  test('is given the name to resolve, as with kubectl', async () => {
    await using server = await target();
    await using proxy = await serveSocksProxy((host, port) => {
      expect(host).toBe('cluster.internal.invalid');
      return connect(port, '127.0.0.1');
    });
    const url = new URL(`https://cluster.internal.invalid:${server.port}`);
    expect(await ask({ server: url, tls: { ...tls, serverName: '127.0.0.1' }, proxy: proxy.url })).toBe('through');
  });

  test('that refuses is named with its reason', async () => {
    await using server = await target();
    await using proxy = await serveSocksProxy(() => undefined);
    await expect(ask({ server: server.url, tls, proxy: proxy.url })).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining(`Proxy ${proxyName(proxy.url)} did not open a way to ${server.url.host}`),
    });
  });

  test('that never answers is given up after the connect timeout, and its connection closed', async () => {
    let closed = (): void => undefined;
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    await using proxy = await serveTcp((socket: Socket) => void socket.once('close', closed).resume());
    const url = new URL(`socks5://127.0.0.1:${proxy.port}`);
    await expect(ask({ server: new URL('https://10.0.0.1'), proxy: url, connectTimeoutMs: 50 })).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('no connection was made'),
    });
    await gone;
  });
});

describe('the choice of a proxy', () => {
  const HTTPS = { HTTPS_PROXY: 'http://proxy:3128' };
  const chosen = (server: string, env: Record<string, string>, proxyUrl?: string) =>
    chooseProxy(new URL(server), proxyUrl, env)?.href;

  test.each([
    ['nothing is set', 'https://a.example', {}, undefined],
    ['HTTPS_PROXY counts for https', 'https://a.example', HTTPS, 'http://proxy:3128/'],
    ['HTTPS_PROXY does not count for http', 'http://a.example', HTTPS, undefined],
    ['HTTP_PROXY counts for http', 'http://a.example', { HTTP_PROXY: 'proxy:80' }, 'http://proxy/'],
    ['lower case counts, too', 'https://a.example', { https_proxy: 'socks5://p:1' }, 'socks5://p:1'],
    ['upper case comes first', 'https://a.example', { https_proxy: 'http://no', ...HTTPS }, 'http://proxy:3128/'],
    ['localhost is never asked for', 'https://localhost:6443', HTTPS, undefined],
    ['loopback addresses are never asked for', 'https://127.1.2.3', HTTPS, undefined],
    ['the IPv6 loopback address is never asked for', 'https://[::1]:6443', HTTPS, undefined],
    ['NO_PROXY has the name', 'https://a.example', { ...HTTPS, NO_PROXY: 'b.example, a.example' }, undefined],
    ['NO_PROXY has the parent domain', 'https://a.b.example', { ...HTTPS, NO_PROXY: 'b.example' }, undefined],
    ['NO_PROXY has a domain with a dot', 'https://a.b.example', { ...HTTPS, NO_PROXY: '.b.example' }, undefined],
    [
      'a domain with a dot is not the name itself',
      'https://b.example',
      { ...HTTPS, NO_PROXY: '.b.example' },
      'http://proxy:3128/',
    ],
    [
      'an end of a name is not a domain',
      'https://xb.example',
      { ...HTTPS, NO_PROXY: 'b.example' },
      'http://proxy:3128/',
    ],
    ['NO_PROXY has the port', 'https://a.example:6443', { ...HTTPS, NO_PROXY: 'a.example:6443' }, undefined],
    ['NO_PROXY has another port', 'https://a.example', { ...HTTPS, NO_PROXY: 'a.example:6443' }, 'http://proxy:3128/'],
    ['NO_PROXY has the address', 'https://10.0.0.1', { ...HTTPS, NO_PROXY: '10.0.0.1' }, undefined],
    ['NO_PROXY has the network', 'https://10.1.2.3', { ...HTTPS, no_proxy: '10.0.0.0/8' }, undefined],
    ['NO_PROXY has another network', 'https://11.1.2.3', { ...HTTPS, NO_PROXY: '10.0.0.0/8' }, 'http://proxy:3128/'],
    ['NO_PROXY has an IPv6 network', 'https://[fd00::1]', { ...HTTPS, NO_PROXY: 'fd00::/8' }, undefined],
    ['NO_PROXY is everything', 'https://a.example', { ...HTTPS, NO_PROXY: '*' }, undefined],
  ])('%s', (_, server, env, expected) => {
    expect(chosen(server, env)).toBe(expected);
  });

  test("is kubeconfig's proxy-url before all of the environment", () => {
    expect(chosen('https://127.0.0.1', { ...HTTPS, NO_PROXY: '*' }, 'socks5://p:1080')).toBe('socks5://p:1080');
  });

  test.each(['ftp://p', 'proxy:3128', 'http://'])('promise 9: %s is refused without being shown', (url) => {
    expect(() => chooseProxy(new URL('https://a'), url, {})).toThrow(/proxy-url is not the URL of a proxy/);
  });
});

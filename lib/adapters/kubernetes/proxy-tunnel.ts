// Tunnels through a proxy: HTTP CONNECT and SOCKS5.
//
// node:http's own `proxyEnv` (Node 24) does CONNECT too, but knows neither SOCKS nor a CA for an https proxy, reads
// NO_PROXY by other rules than kubectl, and hides the proxy's answer: one way for all of them is less.
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Mk8sError, messageOf } from '../../model/errors.ts';
import { proxyName } from './proxy-choice.ts';

// Not imported: see transport.ts.
const { request } = process.getBuiltinModule('node:http');

export interface Destination {
  /** Name or address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Asks an http(s) proxy, on a connection to it, for a tunnel. Aborting ends it; the caller owns `socket`. */
export async function connectTunnel(socket: Duplex, proxy: URL, to: Destination, signal: AbortSignal): Promise<Duplex> {
  const authority = to.host.includes(':') ? `[${to.host}]:${to.port}` : `${to.host}:${to.port}`;
  return await new Promise<Duplex>((resolve, reject) => {
    const ask = request({
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...proxyAuthorization(proxy) },
      setHost: false,
      createConnection: () => socket,
      signal,
    });
    ask.on('connect', (answer, tunnel, head) => {
      if (answer.statusCode === 200) {
        if (head.byteLength > 0) tunnel.unshift(head);
        resolve(tunnel);
      } else {
        reject(refusal(proxy, authority, answer.statusCode ?? 0, answer.statusMessage ?? ''));
      }
    });
    // A proxy that does not know CONNECT may answer as if it were a page.
    ask.on('response', (answer) => {
      reject(refusal(proxy, authority, answer.statusCode ?? 0, answer.statusMessage ?? ''));
      answer.destroy();
    });
    ask.on('error', (error) => reject(signal.aborted ? signal.reason : error));
    ask.end();
  });
}

/** Header for a proxy whose URL has a user; empty otherwise. */
export function proxyAuthorization(proxy: URL): Record<string, string> {
  if (proxy.username === '') return {};
  const text = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(text).toString('base64')}` };
}

/** Asks a SOCKS5 proxy, on a connection to it, for a tunnel. The proxy resolves the name, as with kubectl. */
export async function socksTunnel(socket: Socket, proxy: URL, to: Destination): Promise<Duplex> {
  const { SocksClient } = await import('socks');
  try {
    const tunnel = await SocksClient.createConnection({
      command: 'connect',
      destination: to,
      existing_socket: socket,
      proxy: {
        host: proxy.hostname,
        port: Number(proxy.port || 1080),
        type: 5,
        ...(proxy.username === ''
          ? {}
          : { userId: decodeURIComponent(proxy.username), password: decodeURIComponent(proxy.password) }),
      },
    });
    return tunnel.socket;
  } catch (error) {
    throw new Mk8sError(
      `Proxy ${proxyName(proxy)} did not open a way to ${to.host}:${to.port}: ${messageOf(error)}. Check proxy-url.`,
      { code: 'unreachable', retryable: true, cause: messageOf(error) },
    );
  }
}

function refusal(proxy: URL, authority: string, status: number, text: string): Mk8sError {
  const answer = `Proxy ${proxyName(proxy)} refused a tunnel to ${authority}: ${status} ${text}`.trim();
  if (status === 407) {
    return new Mk8sError(`${answer}. Put user and password into the proxy's URL.`, { code: 'credentials', status });
  }
  return new Mk8sError(`${answer}. Check that it allows this address.`, {
    code: 'unreachable',
    retryable: true,
    status,
  });
}

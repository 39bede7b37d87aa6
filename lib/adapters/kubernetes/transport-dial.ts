// Opens one connection to an API server: TCP, through a proxy where there is one, TLS on top.
import { connect as connectTcp, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import {
  connect as connectTls,
  type SecureContext,
  type TLSSocket,
  type ConnectionOptions as TlsOptions,
} from 'node:tls';
import type { ClientCertificate } from './credentials.ts';
import { readPem } from './credentials-files.ts';
import { proxyName } from './proxy-choice.ts';
import { connectTunnel, type Destination, socksTunnel } from './proxy-tunnel.ts';
import { proxyTlsOptions, type TlsSettings, tlsIdentities } from './tls-trust.ts';
import { connectionError } from './transport-errors.ts';
import { reusingReads } from './transport-read.ts';

export interface Route {
  readonly server: URL;
  readonly tls: TlsSettings;
  readonly proxy: URL | undefined;
}

/** Half-open connections are found after this plus libuv's ten probes a second apart. */
const TCP_KEEP_ALIVE_MS = 30_000;

const SOCKET_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS };

/**
 * Returns a function that opens connections along a route. Each rejects with what the system or OpenSSL said, with
 * Mk8sError where more is known, or with the signal's reason. TLS sessions are resumed from one connection to the next.
 */
export function dialer(
  route: Route,
): (certificate: ClientCertificate | undefined, signal: AbortSignal) => Promise<Duplex> {
  const destination = destinationOf(route.server);
  const secure = route.server.protocol === 'https:';
  const identity = tlsIdentities(route.tls, destination.host);
  let session: { readonly context: SecureContext; readonly data: Buffer } | undefined;

  return async (certificate, signal) => {
    signal.throwIfAborted();
    const { proxy } = route;
    if (!secure) {
      if (proxy !== undefined) return await reach(route, proxy, destination, signal);
      return await connected(
        reusingReads('by window', (read) => connectTcp({ ...destination, ...SOCKET_OPTIONS, ...read })),
        signal,
      );
    }
    const { context, options } = await identity(certificate);
    const through = proxy === undefined ? destination : await reach(route, proxy, destination, signal);
    const resumed = session?.context === context ? { session: session.data } : {};
    const dropSession = (): void => {
      session = undefined;
    };
    return await startTls(through, { ...options, ...resumed }, signal, dropSession, (data) => {
      session = { context, data };
    });
  };
}

function destinationOf(url: URL): Destination {
  const port = url.port === '' ? DEFAULT_PORTS[url.protocol] : Number(url.port);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: port ?? 80 };
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'socks5:': 1080,
  'socks5h:': 1080,
};

/** A byte stream through the proxy to the destination, or to the proxy where that one speaks for it (plain http through an http proxy). */
async function reach(route: Route, proxy: URL, to: Destination, signal: AbortSignal): Promise<Duplex> {
  const socket = await reachProxy(route, proxy, signal);
  if (proxy.protocol.startsWith('socks')) return await abortable(socket, signal, () => socksTunnel(socket, proxy, to));
  if (route.server.protocol === 'http:') return socket;
  return await abortable(socket, signal, () => connectTunnel(socket, proxy, to, signal));
}

async function reachProxy(route: Route, proxy: URL, signal: AbortSignal): Promise<Socket> {
  const to = destinationOf(proxy);
  try {
    const socket = await connected(connectTcp({ ...to, ...SOCKET_OPTIONS }), signal);
    if (proxy.protocol !== 'https:') return socket;
    const ca = route.tls.ca === undefined ? undefined : await readPem(route.tls.ca, 'certificate authority');
    return await startTls(socket, proxyTlsOptions(route.tls, ca, to.host), signal);
  } catch (error) {
    throw signal.aborted ? error : connectionError(error, `proxy ${proxyName(proxy)}`);
  }
}

async function connected(socket: Socket, signal: AbortSignal): Promise<Socket> {
  return await abortable(socket, signal, () => settled(socket, 'connect'));
}

/** `through`: where to connect to, or a stream that reaches it. */
async function startTls(
  through: Destination | Duplex,
  options: TlsOptions,
  signal: AbortSignal,
  onFailure?: () => void,
  onSession?: (data: Buffer) => void,
): Promise<TLSSocket> {
  const secured =
    through instanceof Duplex
      ? connectTls({ ...options, socket: through })
      : reusingReads('fixed', (read) => connectTls({ ...options, ...through, ...SOCKET_OPTIONS, ...read }));
  if (onSession !== undefined) secured.on('session', onSession);
  try {
    return await abortable(secured, signal, () => settled(secured, 'secureConnect'));
  } catch (error) {
    onFailure?.();
    if (through instanceof Duplex) through.destroy();
    throw error;
  }
}

/** Resolves with the stream at `event`; rejects where it fails or closes first. */
function settled<T extends Duplex>(stream: T, event: 'connect' | 'secureConnect'): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const done = (error?: unknown): void => {
      stream.off(event, succeed);
      stream.off('error', done);
      stream.off('close', closed);
      if (error === undefined) resolve(stream);
      else reject(error);
    };
    const succeed = (): void => done();
    const closed = (): void => done(Object.assign(new Error('the connection closed'), { code: 'ECONNRESET' }));
    stream.on(event, succeed);
    stream.on('error', done);
    stream.on('close', closed);
  });
}

/** Runs work on a stream; aborting destroys the stream and rejects with the signal's reason, failing destroys it too. */
async function abortable<T>(stream: Duplex, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const abort = (): void => {
    stream.destroy();
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    const result = work();
    if (signal.aborted) abort();
    return await result;
  } catch (error) {
    stream.destroy();
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

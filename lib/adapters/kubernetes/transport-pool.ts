// The keep-alive pools of one cluster: node:http's Agent over our own way of opening connections.
import type { Agent as HttpAgent } from 'node:http';
import type { Duplex } from 'node:stream';
import { callbackify } from 'node:util';
import { createSemaphore } from '../../async/semaphore.ts';
import { Mk8sError } from '../../model/errors.ts';
import type { ClientCertificate } from './credentials.ts';
import type { TlsSettings } from './tls-trust.ts';
import { dialer } from './transport-dial.ts';
import { connectionError, type Peer, timeoutError } from './transport-errors.ts';

export interface PoolOptions {
  /** `https://HOST[:PORT][/PREFIX]`, or http. */
  readonly server: URL;
  readonly tls?: TlsSettings;
  /** From `chooseProxy`; absent: direct. */
  readonly proxy?: URL;
  /** TCP, proxy and TLS handshake together. Default 10 s. */
  readonly connectTimeoutMs?: number;
  /** Idle connections are closed after this. Default 60 s. */
  readonly idleTimeoutMs?: number;
}

export interface Pools {
  /** Throws Mk8sError `unreachable` once closed. */
  for(certificate: ClientCertificate | undefined): HttpAgent;
  /** Ends all connections, also those in use. */
  close(): void;
}

// kube-apiserver closes idle connections after 90 s (its IdleTimeout); be first, so that none is closed under a request.
const IDLE_TIMEOUT_MS = 60_000;

// At a start hundreds of watches open at once. A few handshakes at a time keep each within its time limit, spare the
// server, and let all but the first resume a session.
const HANDSHAKES = 8;

// Not imported: see transport.ts.
const { Agent } = process.getBuiltinModule('node:http');

/** A connection is tied to the client certificate that it was opened with, so a new certificate starts a new pool. */
export function openPools(options: PoolOptions, peer: Peer): Pools {
  const dial = dialer({ server: options.server, tls: options.tls ?? {}, proxy: options.proxy });
  const connectTimeoutMs = options.connectTimeoutMs ?? 10_000;
  const closing = new AbortController();
  const handshakes = createSemaphore(HANDSHAKES);
  let current: { readonly certificate: ClientCertificate | undefined; readonly pool: Pool } | undefined;
  let retired: Pool[] = [];

  async function open(certificate: ClientCertificate | undefined) {
    const release = await handshakes.acquire(closing.signal);
    const timeout = AbortSignal.timeout(connectTimeoutMs);
    try {
      return await dial(certificate, AbortSignal.any([closing.signal, timeout]));
    } catch (error) {
      if (timeout.aborted && error === timeout.reason)
        throw timeoutError(peer, 'no connection was made', connectTimeoutMs);
      throw connectionError(error, peer);
    } finally {
      release();
    }
  }

  return {
    for: (certificate) => {
      closing.signal.throwIfAborted();
      if (current === undefined || !sameCertificate(current.certificate, certificate)) {
        retired = [...retired, ...(current === undefined ? [] : [current.pool])].filter((pool) => pool.retire());
        const pool = new Pool(() => open(certificate), options.idleTimeoutMs ?? IDLE_TIMEOUT_MS);
        current = { certificate, pool };
      }
      return current.pool;
    },
    close: () => {
      closing.abort(new Mk8sError(`The connection to ${peer} was closed here.`, { code: 'unreachable' }));
      for (const pool of retired) pool.destroy();
      current?.pool.destroy();
    },
  };
}

function sameCertificate(a: ClientCertificate | undefined, b: ClientCertificate | undefined): boolean {
  return a === b || (a?.certificate === b?.certificate && a?.key === b?.key);
}

/**
 * Connections in use are not limited: every watch holds one, and a limit would let watches starve all else.
 * At most 16 idle ones are kept.
 */
class Pool extends Agent {
  readonly #open: () => Promise<Duplex>;

  constructor(open: () => Promise<Duplex>, idleTimeoutMs: number) {
    // `timeout` closes idle connections only: a request that is silent for longer, as a watch is, goes on.
    super({ keepAlive: true, keepAliveMsecs: 30_000, maxFreeSockets: 16, scheduling: 'lifo', timeout: idleTimeoutMs });
    this.#open = open;
  }

  override createConnection(_options: unknown, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    // A failure reaches the request that wanted the connection.
    if (callback !== undefined) callbackify(this.#open)(callback);
  }

  /** Lets requests under way finish, but keeps no connection for later ones. True while there are requests under way. */
  retire(): boolean {
    this.maxFreeSockets = 0;
    for (const sockets of Object.values(this.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
    return Object.keys(this.sockets).length > 0 || Object.keys(this.requests).length > 0;
  }
}

// The keep-alive pool of one cluster: node:http's Agent over our own way of opening connections.
import { Agent } from 'node:http';
import type { Duplex } from 'node:stream';
import { callbackify } from 'node:util';

/** kube-apiserver closes idle connections after 90 s (its IdleTimeout); be first, so that none is closed under a request. */
export const IDLE_TIMEOUT_MS = 60_000;

/**
 * Connections in use are not limited: every watch holds one, and a limit would let watches starve all else.
 * At most 16 idle ones are kept.
 */
export class Pool extends Agent {
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

  /** Lets requests under way finish, but keeps no connection for later ones. */
  retire(): void {
    this.maxFreeSockets = 0;
    for (const sockets of Object.values(this.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }
}

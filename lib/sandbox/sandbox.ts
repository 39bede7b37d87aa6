// A small Kubernetes API server in this process: one cluster's config database on a real TLS socket.
import { randomBytes } from 'node:crypto';
import { Authenticator } from './authentication.ts';
import { Authorizer, type Rule } from './authorization.ts';
import { customResourceDefinitions, namespaces } from './builtin.ts';
import { type Authority, createAuthority, issueCertificate } from './certificate.ts';
import { Client } from './client.ts';
import { Cluster, type Timings } from './cluster.ts';
import { Control } from './control.ts';
import { startDefinitions } from './definitions.ts';
import { Faults } from './faults.ts';
import { openJournal } from './journal.ts';
import { Listener } from './listener.ts';
import { createSystemNamespaces, startNamespaces } from './namespace-lifecycle.ts';
import { errorAnswer, type Request, type Response, send } from './reply.ts';
import { Reviewer } from './reviews.ts';
import { type Backend, route } from './router.ts';
import { ApiError, failure } from './status.ts';
import { Store } from './store.ts';
import { stream } from './stream.ts';
import { Timers } from './timers.ts';
import { TokenKey } from './tokens.ts';
import type { WatchSettings } from './watch.ts';

export interface SandboxOptions {
  /** For certificates and messages. Default `sandbox`. */
  readonly name?: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Taken where it is free, else any. */
  readonly preferredPort?: number;
  /** Offer HTTP/2 too. Default true. */
  readonly http2?: boolean;
  /** The admin's token. Default: random. */
  readonly token?: string;
  /** Signs the server's certificate. Default: a new one. */
  readonly authority?: Authority;
  /** PEM of the key that signs service account tokens. Default: a new one. */
  readonly tokenKey?: string;
  /** A database file in which everything survives the process. Default: memory only. */
  readonly file?: string;
  /** Events kept per resource before watches from before them get 410. Default 10,000. */
  readonly historyLimit?: number;
  /** What service accounts may do. Default: nothing but discovery. */
  readonly rules?: readonly Rule[];
  /** Between bookmarks of a long watch, in ms. Default 60,000. */
  readonly bookmarkInterval?: number;
  /** How often a quiet resource's cache learns how far the store is, in ms; what bookmarks say. Default 5,000. */
  readonly progressInterval?: number;
  /** How long a resourceVersion of the future is waited for, in ms. Default 3,000. */
  readonly futureTimeout?: number;
  readonly timings?: Partial<Timings>;
  readonly now?: () => number;
  /** Makes uids. Default: random. */
  readonly uid?: () => string;
  /** Run before the server listens. */
  readonly prepare?: (client: Client) => Promise<void>;
}

export interface Sandbox {
  readonly name: string;
  readonly url: string;
  /** The admin's bearer token. */
  readonly token: string;
  /** PEM of the authority that its certificate is to be verified with. */
  readonly ca: string;
  /** The cluster id: kube-system's uid. */
  readonly uid: string;
  /** Reads and writes without a socket, also while the server is made to misbehave. */
  readonly client: Client;
  /** Makes it misbehave. */
  readonly control: Control;
  /** PEM, for the option `tokenKey` of a later start. */
  readonly tokenKey: string;
  stop(): Promise<void>;
}

/** Starts a server; it listens when this resolves. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { name = 'sandbox', host = '127.0.0.1', now = Date.now } = options;
  const journal = options.file === undefined ? undefined : openJournal(options.file, options.historyLimit ?? 10_000);
  const store = new Store({
    ...(options.historyLimit === undefined ? {} : { historyLimit: options.historyLimit }),
    ...(journal === undefined ? {} : { journal }),
  });
  journal?.load(store);
  const cluster = new Cluster(store, options.timings, now, options.uid);
  const timers = new Timers();
  if (cluster.collection(namespaces).get('kube-system') === undefined) createSystemNamespaces(cluster);
  cluster.collection(customResourceDefinitions);
  const definitions = startDefinitions(cluster, timers);
  const stopNamespaces = startNamespaces(cluster, timers);
  timers.every(options.progressInterval ?? 5000, () => {
    for (const collection of store.collections.values()) collection.known = store.revision;
  });
  const key = TokenKey.from(options.tokenKey);
  const token = options.token ?? randomBytes(24).toString('base64url');
  const authority = options.authority ?? createAuthority(`${name}-ca`, now());
  const faults = new Faults();
  const authenticator = new Authenticator(cluster, token, key);
  const authorizer = new Authorizer(options.rules ?? []);
  const settings: WatchSettings = {
    bookmarkInterval: options.bookmarkInterval ?? 60_000,
    futureTimeout: options.futureTimeout ?? 3000,
    get marksLegacy() {
      return faults.watchList === 'on';
    },
    now,
    present: () => store.revision,
  };
  const server = issueCertificate(authority, name, [...new Set(['localhost', '127.0.0.1', '::1', host])], now());
  const listener = new Listener(
    {
      ...server,
      host,
      port: options.port ?? 0,
      preferredPort: options.preferredPort ?? 0,
      http2: options.http2 ?? true,
    },
    (request, response) => void handle(backend, settings, request, response),
  );
  const close = (): void => {
    definitions.stop();
    stopNamespaces();
    timers.stop();
    journal?.close();
  };
  const control = new Control({ store, faults, listener, authenticator, now, restored: () => definitions.resync() });
  const backend: Backend = {
    cluster,
    faults,
    authenticator,
    authorizer,
    reviewer: new Reviewer(cluster, authenticator, authorizer, key),
    key,
    futureTimeout: settings.futureTimeout,
    control: (action, parameters) => control.perform(action, parameters),
  };
  const client = new Client(cluster);
  try {
    await options.prepare?.(client);
    await listener.listen();
  } catch (error) {
    close();
    throw error;
  }
  return {
    name,
    url: `https://${host.includes(':') ? `[${host}]` : host}:${listener.port}`,
    token,
    ca: authority.cert,
    uid: cluster.collection(namespaces).get('kube-system')?.uid ?? '',
    client,
    control,
    tokenKey: key.export(),
    async stop() {
      faults.reset();
      await control.settled();
      await listener.close();
      close();
    },
  };
}

/** Answers one request, whatever happens; never rejects. */
async function handle(backend: Backend, settings: WatchSettings, request: Request, response: Response): Promise<void> {
  response.on('error', () => undefined);
  try {
    await backend.faults.before();
    const failing = backend.faults.take(request.url);
    if (failing !== undefined) throw injected(failing.code, failing.retryAfter);
    const answer = await route(backend, request);
    if ('watch' in answer) await stream(request, response, answer, settings, backend.faults);
    else await send(request, response, answer);
  } catch (error) {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const problem = error instanceof ApiError ? error : internal(error);
    await send(request, response, errorAnswer(problem)).catch(() => response.destroy());
  }
}

function internal(error: unknown): ApiError {
  const message = error instanceof Error ? error.message : String(error);
  return failure(500, 'InternalError', `Internal error occurred: ${message}`);
}

function injected(code: number, retryAfter: number | undefined): ApiError {
  const headers: Record<string, string> = retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) };
  if (code === 429) return new ApiError(429, 'Too many requests, please try again later.\n', 'told to fail', headers);
  if (code === 401) return failure(401, 'Unauthorized', 'Unauthorized');
  const reason = code === 503 ? 'ServiceUnavailable' : code === 500 ? 'InternalError' : undefined;
  return failure(code, reason, 'the sandbox was told to fail this request', undefined, headers);
}

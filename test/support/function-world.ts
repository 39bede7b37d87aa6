// The HTTP functions with fakes behind them: a fleet, a minter whose tokens can be told, a verifier whose tokens are addresses with `~` for `@`, and a log
// that remembers.

import type { AuditEntry } from '../../lib/functions/audit.ts';
import { createFunction, type FunctionName } from '../../lib/functions/handlers.ts';
import type { Services } from '../../lib/functions/services.ts';
import type { ClusterInfo } from '../../lib/model/cluster.ts';
import { clusterId } from '../../lib/model/stream.ts';
import { Token } from '../../lib/model/token.ts';
import type { Policy } from '../../lib/policy/policy.ts';
import type { HttpHandler, HttpResponse } from '../../lib/ports/http.ts';
import type { ReportEntry } from '../../lib/ports/reporter.ts';

const worldNow = Date.UTC(2026, 0, 2);

export function testClusterInfo(name: string, options: Partial<ClusterInfo> = {}): ClusterInfo {
  return {
    id: clusterId(`id-${name}`),
    name,
    aliases: [],
    sources: ['kubeconfig'],
    server: `https://${name}.example.com`,
    namespace: 'default',
    isDefault: false,
    version: 'v1.36.2',
    certificateAuthority: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
    ...options,
  };
}

interface MintCall {
  readonly kind: string;
  readonly args: readonly unknown[];
}

export interface FunctionWorld {
  readonly handler: HttpHandler;
  readonly audit: AuditEntry[];
  readonly reports: ReportEntry[];
  readonly mints: MintCall[];
  /** Every token that was made. */
  readonly tokens: string[];
  now: number;
  clusters: readonly ClusterInfo[];
  refreshes: number;
  /** Lifetime that the issuer gives, whatever is asked; undefined for what is asked. */
  lives: number | undefined;
  /** Thrown by the minter. */
  failure: unknown;
  /** `GET /v1/clusters` as alice@example.com. */
  ask(target: string, options?: AskOptions): Promise<Asked>;
}

export interface AskOptions {
  /** Whose token is sent; null for none. */
  readonly as?: string | null;
  /** Address that it comes from. */
  readonly from?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
}

export interface Asked extends HttpResponse {
  readonly json: Record<string, unknown>;
}

export function functionWorld(
  policy: Policy,
  { name = 'all', services = {} }: { name?: FunctionName; services?: Partial<Services> } = {},
): FunctionWorld {
  const mint = async (kind: string, seconds: number, ...args: readonly unknown[]): Promise<Token> => {
    world.mints.push({ kind, args });
    if (world.failure !== undefined) throw world.failure;
    const secret = `secret-token-${world.tokens.length}-${'x'.repeat(40)}`;
    world.tokens.push(secret);
    return new Token(secret, new Date(world.now + (world.lives ?? seconds) * 1000));
  };
  const audit: AuditEntry[] = [];
  const reports: ReportEntry[] = [];
  const all: Services = {
    clock: { now: () => world.now },
    verifier: {
      async verify(token) {
        if (!token.includes('~')) return { refusal: 'signature' };
        const email = token.replace('~', '@');
        const caller = { issuer: 'https://accounts.google.com', subject: `sub-${email}`, email };
        return { caller, expiresAt: world.now + 3_600_000 };
      },
    },
    policy,
    fleet: {
      async read({ refresh }) {
        if (refresh) world.refreshes += 1;
        return { clusters: world.clusters, at: world.now };
      },
    },
    isReady: () => true,
    minter: {
      serviceAccount: async (account, request) => await mint('serviceAccount', request.seconds, account, request),
      federated: async (account, request) => await mint('federated', 3_600, account, request),
      accessToken: async (account, request) => await mint('accessToken', request.seconds, account, request),
      identityToken: async (account, audience) => await mint('identityToken', 3_600, account, audience),
    },
    audit: (entry) => void audit.push(entry),
    report: (entry) => void reports.push(entry),
    settings: {
      tokensUrl: 'https://tokens.example.com',
      tokensAudience: 'https://tokens.example.com',
      corsOrigins: [],
      rates: {
        lists: { perSecond: 1_000, burst: 1_000 },
        tokens: { perSecond: 1_000, burst: 1_000 },
        unverified: { perSecond: 1_000, burst: 1_000 },
      },
    },
    ...services,
  };
  const handler = createFunction(name, all, () => '0.0.0');
  const world: FunctionWorld = {
    handler: {
      handle: async (request) => (await handler).handle(request),
      refuse: () => ({ status: 503, headers: {}, body: '' }),
    },
    audit,
    reports,
    mints: [],
    tokens: [],
    now: worldNow,
    clusters: [],
    refreshes: 0,
    lives: undefined,
    failure: undefined,
    async ask(target, { as = 'alice@example.com', from = '192.0.2.1', headers = {}, body = '' } = {}) {
      const [method = '', url = ''] = target.split(' ');
      const [path = '', query = ''] = url.split('?');
      const lines = Object.entries(headers).map(([key, value]): [string, readonly string[]] => [key, [value].flat()]);
      const bearer: [string, readonly string[]][] =
        as === null ? [] : [['authorization', [`Bearer ${as.replace('@', '~')}`]]];
      const response = await world.handler.handle({
        method,
        path,
        query,
        headers: new Map([...bearer, ...lines]),
        peer: from,
        body: typeof body === 'string' ? Buffer.from(body) : body,
        signal: new AbortController().signal,
      });
      const isJson = response.headers['content-type']?.includes('json') === true && response.body !== '';
      return { ...response, json: isJson ? (JSON.parse(response.body) as Record<string, unknown>) : {} };
    },
  };
  return world;
}

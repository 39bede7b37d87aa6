// An OpenID Connect issuer on loopback: keys that rotate, and tokens signed with them, with any key of its own, or with none.
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { type LoopbackServer, serveHttp } from './loopback-server.ts';

type Algorithm = 'RS256' | 'ES256';

interface IssuerKey {
  readonly kid: string;
  readonly alg: Algorithm;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

interface TokenOptions {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Claims to leave out. */
  readonly without?: readonly string[];
  readonly key?: IssuerKey;
  /** Seconds since 1970. */
  readonly now?: number;
}

export interface FakeIssuer extends AsyncDisposable {
  readonly issuer: string;
  /** Readings of its keys so far. */
  readonly readings: () => number;
  /** Every token that it has signed, for tests that look for them where they must not be. */
  readonly issued: readonly string[];
  /** The one that it signs with. */
  readonly key: () => IssuerKey;
  /** A new key, published from now on; the old ones stay published unless `only`. */
  rotate(options?: { readonly only?: boolean; readonly alg?: Algorithm }): IssuerKey;
  /** Answers with 500 from now on, or no more. */
  fail(failing: boolean): void;
  /** An ID token of alice@example.com for `audience`, good for an hour, unless told otherwise. */
  token(audience: string, options?: TokenOptions): string;
}

export function issuerKey(alg: Algorithm = 'RS256'): IssuerKey {
  const pair =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2_048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { kid: randomUUID(), alg, ...pair };
}

export function part(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

export function signed(content: string, { alg, privateKey }: IssuerKey): string {
  const key = alg === 'ES256' ? { key: privateKey, dsaEncoding: 'ieee-p1363' as const } : privateKey;
  return `${content}.${sign('sha256', Buffer.from(content), key).toString('base64url')}`;
}

/** What a confused verifier takes: an HMAC with the public key as the secret. */
export function signedWithPublicKey(content: string, { publicKey }: IssuerKey): string {
  const secret = publicKey.export({ type: 'spki', format: 'pem' });
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
}

export async function startFakeIssuer(): Promise<FakeIssuer> {
  let keys: IssuerKey[] = [issuerKey()];
  let readings = 0;
  let failing = false;
  const issued: string[] = [];
  const server: LoopbackServer = await serveHttp((request, response) => {
    if (failing) return void response.writeHead(500).end('internal: the issuer is down');
    response.setHeader('content-type', 'application/json');
    if (request.url === '/.well-known/openid-configuration') {
      return void response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/keys` }));
    }
    readings += 1;
    response.setHeader('cache-control', 'public, max-age=600');
    response.end(
      JSON.stringify({
        keys: keys.map(({ kid, alg, publicKey }) => ({
          ...createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })).export({ format: 'jwk' }),
          kid,
          alg,
          use: 'sig',
        })),
      }),
    );
  });
  const issuer = server.url.origin;
  return {
    issuer,
    readings: () => readings,
    issued,
    key: () => keys[0] ?? issuerKey(),
    rotate({ only = false, alg = 'RS256' } = {}) {
      const key = issuerKey(alg);
      keys = only ? [key] : [key, ...keys];
      return key;
    },
    fail(now) {
      failing = now;
    },
    token(audience, { header = {}, claims = {}, without = [], key = keys[0], now = Date.now() / 1000 } = {}) {
      if (key === undefined) throw new Error('The issuer has no key.');
      const all: Record<string, unknown> = {
        iss: issuer,
        aud: audience,
        sub: '1234567890',
        email: 'alice@example.com',
        email_verified: true,
        iat: Math.floor(now),
        exp: Math.floor(now) + 3_600,
        ...claims,
      };
      for (const name of without) delete all[name];
      const content = `${part({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header })}.${part(all)}`;
      const token = signed(content, key);
      issued.push(token);
      return token;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

// Service account tokens: JWTs signed with a key of the cluster's own (ES256).
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import type { JsonObject } from './json.ts';

export interface TokenClaims {
  readonly aud: string[];
  /** Seconds since 1970. */
  readonly exp: number;
  readonly iat: number;
  readonly iss: string;
  readonly jti: string;
  readonly nbf: number;
  readonly sub: string;
  readonly 'kubernetes.io': {
    readonly namespace: string;
    readonly serviceaccount: { readonly name: string; readonly uid: string };
  };
}

/** The issuer, and the audience of tokens for the API server itself. */
export const issuer = 'https://kubernetes.default.svc.cluster.local';

export class TokenKey {
  readonly #key: KeyObject;
  readonly #public: KeyObject;
  readonly #id: string;

  private constructor(key: KeyObject) {
    this.#key = key;
    this.#public = createPublicKey(key);
    const der = this.#public.export({ type: 'spki', format: 'der' });
    this.#id = createHash('sha256').update(der).digest('base64url');
  }

  /** A new key, or the one that `pem` (from `export`) holds. */
  static from(pem?: string): TokenKey {
    if (pem !== undefined) return new TokenKey(createPrivateKey(pem));
    return new TokenKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
  }

  export(): string {
    return this.#key.export({ type: 'pkcs8', format: 'pem' }).toString();
  }

  sign(claims: TokenClaims): string {
    const content = `${part({ alg: 'ES256', kid: this.#id })}.${part({ ...claims })}`;
    const signature = sign('sha256', Buffer.from(content), { key: this.#key, dsaEncoding: 'ieee-p1363' });
    return `${content}.${signature.toString('base64url')}`;
  }

  /** The claims of a token with a valid signature; undefined for anything else. Expiry is the caller's to check. */
  verify(token: string): TokenClaims | undefined {
    const [header = '', claims = '', signature = ''] = token.split('.');
    const content = Buffer.from(`${header}.${claims}`);
    const key = { key: this.#public, dsaEncoding: 'ieee-p1363' as const };
    if (!verify('sha256', content, key, Buffer.from(signature, 'base64url'))) return undefined;
    return JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as TokenClaims;
  }

  /** The JSON Web Key Set that lets others verify. */
  keySet(): JsonObject {
    const { kty, crv, x, y } = this.#public.export({ format: 'jwk' }) as Record<string, string>;
    const key: JsonObject = {
      use: 'sig',
      kty: kty ?? 'EC',
      kid: this.#id,
      alg: 'ES256',
      crv: crv ?? '',
      x: x ?? '',
      y: y ?? '',
    };
    return { keys: [key] };
  }
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

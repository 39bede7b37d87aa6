// Who is asking: the admin by a static token, service accounts by theirs, nobody as system:anonymous.
import { timingSafeEqual } from 'node:crypto';
import { serviceAccounts } from './builtin.ts';
import type { Cluster } from './cluster.ts';
import type { JsonObject } from './json.ts';
import { failure } from './status.ts';
import { issuer, type TokenClaims, type TokenKey } from './tokens.ts';

export interface User {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, string[]>>;
}

export const anonymous: User = { username: 'system:anonymous', groups: ['system:unauthenticated'] };
const admin: User = { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };

export class Authenticator {
  readonly #cluster: Cluster;
  readonly #adminTokens: Set<string>;
  readonly #key: TokenKey;
  readonly #revoked = new Set<string>();

  constructor(cluster: Cluster, adminToken: string, key: TokenKey) {
    this.#cluster = cluster;
    this.#adminTokens = new Set([adminToken]);
    this.#key = key;
  }

  /** The user of an Authorization header. Throws 401 for a token that is not, or no longer, good. */
  authenticate(authorization: string | undefined): User {
    if (authorization === undefined) return anonymous;
    const token = /^Bearer\s+(\S+)\s*$/i.exec(authorization)?.[1];
    if (token === undefined) return anonymous;
    const user = this.userOf(token, [issuer]);
    if (user === undefined) throw failure(401, 'Unauthorized', 'Unauthorized');
    return user;
  }

  /** The user of a token that is good for one of `audiences`. */
  userOf(token: string, audiences: readonly string[]): User | undefined {
    if (this.#revoked.has(token)) return undefined;
    for (const known of this.#adminTokens) if (sameText(known, token)) return admin;
    const claims = this.claimsOf(token);
    if (claims === undefined || !claims.aud.some((audience) => audiences.includes(audience))) return undefined;
    const { namespace, serviceaccount } = claims['kubernetes.io'];
    return {
      username: claims.sub,
      uid: serviceaccount.uid,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`] },
    };
  }

  /** The claims of a service account's token whose account still exists, whatever its audience. */
  claimsOf(token: string): TokenClaims | undefined {
    const claims = token.split('.').length === 3 ? this.#key.verify(token) : undefined;
    if (claims === undefined || claims.exp * 1000 <= this.#cluster.now()) return undefined;
    const { namespace, serviceaccount } = claims['kubernetes.io'];
    const account = this.#cluster.collection(serviceAccounts).get(`${namespace}/${serviceaccount.name}`);
    return account?.uid === serviceaccount.uid ? claims : undefined;
  }

  /** From now on the token is answered 401. */
  revoke(token: string): void {
    this.#revoked.add(token);
  }

  /** The admin's new token, beside those that are still good. */
  addAdminToken(token: string): void {
    this.#adminTokens.add(token);
  }
}

export function userInfo({ username, uid, groups, extra }: User): JsonObject {
  return {
    username,
    ...(uid === undefined ? {} : { uid }),
    groups: [...groups],
    ...(extra === undefined ? {} : { extra: { ...extra } }),
  };
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

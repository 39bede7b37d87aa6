// Verifies ID tokens of the configured issuers: signature, issuer, audience, times, address.
// Sources: https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation, RFC 8725 (JWT best current practices)
import { verify as verifySignature } from 'node:crypto';
import type { CallerVerifier, Refusal, Verification } from '../../ports/caller.ts';
import { MOST_CHARACTERS, parseJwt, type SignedJwt } from './jwt.ts';
import { createKeySet, type FetchJson, type KeySet, type VerificationKey } from './key-set.ts';

interface IssuerOptions {
  /** As in `iss`. */
  readonly issuer: string;
  /** Default: from the issuer's discovery document. */
  readonly jwksUri?: URL;
}

export interface IdTokensOptions {
  readonly issuers: readonly IssuerOptions[];
  /** Any one of them, exactly. None: no token is for us. */
  readonly audiences: readonly string[];
  readonly fetchJson: FetchJson;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** How far clocks may be apart, seconds. */
const SKEW_SECONDS = 30;
const GOOGLE = 'https://accounts.google.com';
/** Google issues under both: https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken */
const GOOGLE_ALSO = 'accounts.google.com';
/** Cloud Run puts it in the place of the signature of a token that IAM has checked: such a token can be made up by anyone who reaches us otherwise. */
const REMOVED = 'SIGNATURE_REMOVED_BY_GOOGLE';

export interface IdTokenVerifier extends CallerVerifier {
  /** Reads every issuer's keys ahead of the first token. Does not reject. */
  warm(): Promise<void>;
}

export function verifyIdTokens({ issuers, audiences, fetchJson, now }: IdTokensOptions): IdTokenVerifier {
  const sets = new Map<string, KeySet>(
    issuers.map(({ issuer, jwksUri }) => [
      issuer,
      createKeySet({ issuer, fetchJson, now, ...(jwksUri === undefined ? {} : { jwksUri }) }),
    ]),
  );

  return {
    async verify(token, signal) {
      if (token.length > MOST_CHARACTERS) return { refusal: 'too-large' };
      if (token.endsWith(`.${REMOVED}`)) return { refusal: 'signature-removed' };
      const jwt = parseJwt(token);
      if (jwt === undefined) return { refusal: 'malformed' };
      const { alg, kid, crit } = jwt.header;
      if (alg !== 'RS256' && alg !== 'ES256') return { refusal: 'algorithm' };
      // No extension is understood here, so none may be critical (RFC 7515, 4.1.11).
      if (crit !== undefined || typeof kid !== 'string' || kid.length > 256) return { refusal: 'malformed' };
      const { iss } = jwt.claims;
      const issuer = iss === GOOGLE_ALSO ? GOOGLE : iss;
      const set = typeof issuer === 'string' ? sets.get(issuer) : undefined;
      if (set === undefined || typeof issuer !== 'string') return { refusal: 'unknown-issuer' };
      const key = await set.get(kid, signal);
      if (key === undefined) return { refusal: 'unknown-key' };
      if (key.alg !== alg) return { refusal: 'algorithm' };
      if (!isSignedBy(jwt, key)) return { refusal: 'signature' };
      return judge(jwt.claims, issuer, audiences, now() / 1000);
    },
    async warm() {
      await Promise.all(Array.from(sets.values(), async (set) => await set.warm()));
    },
  };
}

function isSignedBy({ content, signature }: SignedJwt, { key, alg }: VerificationKey): boolean {
  return verifySignature('sha256', content, alg === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key, signature);
}

/** What a signed token says of itself. */
function judge(
  claims: Readonly<Record<string, unknown>>,
  issuer: string,
  audiences: readonly string[],
  now: number,
): Verification {
  const refuse = (refusal: Refusal): Verification => ({ refusal });
  const { aud, exp, nbf, iat, sub, email, email_verified: verified } = claims;
  // A token for several is a token that any of them can use here.
  const audience = Array.isArray(aud) && aud.length === 1 ? (aud[0] as unknown) : aud;
  if (typeof audience !== 'string' || !audiences.includes(audience)) return refuse('audience');
  if (!isTime(exp) || !isTime(iat) || (nbf !== undefined && !isTime(nbf))) return refuse('claims');
  if (exp + SKEW_SECONDS <= now) return refuse('expired');
  if (Math.max(iat, nbf ?? iat) - SKEW_SECONDS > now) return refuse('not-yet-valid');
  if (typeof sub !== 'string' || sub === '' || sub.length > 255) return refuse('claims');
  const caller = { issuer, subject: sub };
  const expiresAt = exp * 1000;
  if (email === undefined) return { caller, expiresAt };
  if (typeof email !== 'string' || !/^[\x21-\x7e]{3,254}$/.test(email)) return refuse('claims');
  if (verified !== true) return refuse('email-not-verified');
  return { caller: { ...caller, email: email.toLowerCase() }, expiresAt };
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

// An issuer's public keys, kept as long as the issuer says, read anew when a token names a key that is not among them (issuers
// rotate), and not more often than every half minute whatever callers send.
// Sources: RFC 7517 (JWK); https://openid.net/specs/openid-connect-discovery-1_0.html
import { createPublicKey, type KeyObject } from 'node:crypto';
import { singleFlight } from '../../async/single-flight.ts';
import { untilAborted } from '../../async/until-aborted.ts';
import { Mk8sError, messageOf } from '../../model/errors.ts';

export interface VerificationKey {
  readonly key: KeyObject;
  readonly alg: 'RS256' | 'ES256';
}

/** Reads a JSON document from an issuer; `maxAgeSeconds` is what Cache-Control says. Throws where there is none. */
export type FetchJson = (
  url: URL,
  signal?: AbortSignal,
) => Promise<{ readonly body: unknown; readonly maxAgeSeconds: number | undefined }>;

export interface KeySetOptions {
  readonly issuer: string;
  /** Default: what the issuer's discovery document names. */
  readonly jwksUri?: URL;
  readonly fetchJson: FetchJson;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface KeySet {
  /** Undefined where the issuer has no such key. Throws Mk8sError `unreachable` where its keys can't be read and none are kept. */
  get(kid: string, signal?: AbortSignal): Promise<VerificationKey | undefined>;
  /** Reads the keys before a token needs them. Where they can't be read now, the first token that needs them reads them again at once. */
  warm(): Promise<void>;
}

const LEAST_AGE_MS = 60_000;
const MOST_AGE_MS = 24 * 3_600_000;
const DEFAULT_AGE_MS = 3_600_000;
/** Between two readings, milliseconds: unknown key ids are free to make up. */
const PAUSE_MS = 30_000;
/** Google has two or three at a time. */
const MOST_KEYS = 50;
/** How long past their age keys serve while the issuer cannot be reached, milliseconds. */
const GRACE_MS = 3_600_000;

export function createKeySet({ issuer, jwksUri, fetchJson, now }: KeySetOptions): KeySet {
  let keys = new Map<string, VerificationKey>();
  let freshUntil = 0;
  let triedAt = Number.NEGATIVE_INFINITY;
  let failure: unknown;
  let reading = false;
  let warming: Promise<void> | undefined;
  let uri = jwksUri;

  const refresh = singleFlight(async (signal) => {
    triedAt = now();
    reading = true;
    try {
      uri ??= await discover(issuer, fetchJson, signal);
      const { body, maxAgeSeconds } = await fetchJson(uri, signal);
      keys = keysOf(body);
      const age = maxAgeSeconds === undefined ? DEFAULT_AGE_MS : maxAgeSeconds * 1000;
      freshUntil = now() + Math.min(MOST_AGE_MS, Math.max(LEAST_AGE_MS, age));
      failure = undefined;
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    } finally {
      reading = false;
    }
  });

  return {
    async get(kid, signal) {
      if (warming !== undefined) await untilAborted(warming, signal);
      const stale = now() >= freshUntil;
      // Whoever comes while they are being read waits for them.
      const mayAsk = reading || now() - triedAt >= PAUSE_MS;
      if ((stale || !keys.has(kid)) && mayAsk) await refresh(signal);
      const known = keys.get(kid);
      if (known !== undefined && now() < freshUntil + GRACE_MS) return known;
      if (failure !== undefined) {
        throw new Mk8sError(`Cannot read the keys of issuer ${issuer}: ${messageOf(failure)}`, {
          code: 'unreachable',
          retryable: true,
          retryAfterMs: PAUSE_MS,
          cause: failure,
        });
      }
      return undefined;
    },
    async warm() {
      warming ??= refresh().then(() => {
        warming = undefined;
        // Nobody has asked for a key yet: whoever does shall not wait for the pause, and hears of a failure that lasts.
        if (failure !== undefined) triedAt = Number.NEGATIVE_INFINITY;
      });
      await warming;
    },
  };
}

async function discover(issuer: string, fetchJson: FetchJson, signal: AbortSignal): Promise<URL> {
  const url = new URL(`${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`);
  const { body } = await fetchJson(url, signal);
  const { issuer: says, jwks_uri: uri } = body as Record<string, unknown>;
  if (says !== issuer) throw new Error('its discovery document names another issuer');
  const found = typeof uri === 'string' && URL.canParse(uri) ? new URL(uri) : undefined;
  // Keys that anyone on the way could exchange prove nothing; http is for an issuer that is http itself (a test's).
  if (found === undefined || (found.protocol !== 'https:' && found.protocol !== url.protocol)) {
    throw new Error('its discovery document has no jwks_uri with https');
  }
  return found;
}

function keysOf(body: unknown): Map<string, VerificationKey> {
  const list = (body as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(list)) throw new Error('its key set has no keys');
  const keys = new Map<string, VerificationKey>();
  for (const jwk of list.slice(0, MOST_KEYS) as Record<string, unknown>[]) {
    const key = keyOf(jwk);
    const { kid } = jwk;
    // Two keys of one id: nobody can tell which is meant.
    if (key !== undefined && typeof kid === 'string' && kid !== '' && !keys.has(kid)) keys.set(kid, key);
  }
  return keys;
}

/** A key is good for the algorithm of its kind and for no other: what a token says has no say in it. */
function keyOf(jwk: Record<string, unknown>): VerificationKey | undefined {
  const { kty, use, alg, crv } = jwk;
  if (use !== undefined && use !== 'sig') return undefined;
  const own = kty === 'RSA' ? 'RS256' : kty === 'EC' && crv === 'P-256' ? 'ES256' : undefined;
  if (own === undefined || (alg !== undefined && alg !== own)) return undefined;
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const bits = key.asymmetricKeyDetails?.modulusLength;
    return own === 'RS256' && (bits ?? 0) < 2_048 ? undefined : { key, alg: own };
  } catch {
    // A key that does not read is one that no token can be verified with.
    return undefined;
  }
}

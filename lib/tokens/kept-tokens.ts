// Tokens kept per audience: refreshed ahead of their expiry, shared by concurrent callers, asked for again where the
// issuer is busy. Every other token source is plain and goes through this one.
import { backoffDelay } from '../async/backoff.ts';
import { singleFlight } from '../async/single-flight.ts';
import { Mk8sError } from '../model/errors.ts';
import type { Token } from '../model/token.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { TokenRequest, TokenSource } from '../ports/token-source.ts';

/**
 * How long before its expiry a token is replaced while it still serves. Google's metadata server hands out the same
 * token until about 4 minutes before its end, so asking sooner gives nothing new
 * (google-auth-library-python: REFRESH_THRESHOLD = 3 min 45 s).
 */
const AHEAD_MS = 225_000;
/** Closer to its expiry than this it is not handed out: it has to outlive the request that it is for. */
const SPENT_MS = 30_000;
/** Kept at most, so that callers with many audiences do not fill memory; the oldest goes first. */
const MOST_KEPT = 1_000;
const RETRY = { baseMs: 500, maxMs: 8_000 };
const MOST_ATTEMPTS = 5;
/** A longer Retry-After is not waited for: the caller hears of it. */
const MOST_PATIENCE_MS = 30_000;

interface Kept {
  token: Token | undefined;
  /** After a refresh ahead of time failed: when to try the next, milliseconds since 1970. */
  quietUntil: number;
  readonly renew: (signal?: AbortSignal) => Promise<Token>;
}

/**
 * Its tokens have at least 30 s left. Throws what the source throws, after up to five attempts where it says that
 * asking again may help.
 */
export function keepTokens(source: TokenSource, { clock, random }: { clock: Clock; random: Random }): TokenSource {
  const kept = new Map<string, Kept>();

  function entryOf(request: TokenRequest): Kept {
    const key = keyOf(request);
    const known = kept.get(key);
    if (known !== undefined) return known;
    const entry: Kept = {
      token: undefined,
      quietUntil: 0,
      renew: singleFlight(async (signal) => {
        entry.token = await patiently(() => source.get(request, { signal }), { clock, random, signal });
        return entry.token;
      }),
    };
    const oldest = kept.keys().next();
    if (kept.size >= MOST_KEPT && oldest.done !== true) kept.delete(oldest.value);
    kept.set(key, entry);
    return entry;
  }

  /** Nobody waits for it: the kept token still serves. */
  function renewAhead(entry: Kept): void {
    if (clock.now() < entry.quietUntil) return;
    entry.quietUntil = clock.now() + SPENT_MS;
    entry.renew().catch(() => {
      // Tried again in 30 s; once the kept token is spent, the caller gets the error.
    });
  }

  return {
    // A source may learn whom it speaks for with its first token.
    get identity() {
      return source.identity;
    },
    get principal() {
      return source.principal;
    },
    async get(request, { fresh = false, signal } = {}) {
      signal?.throwIfAborted();
      const entry = entryOf(request);
      const left = entry.token === undefined ? 0 : entry.token.expiresAt.getTime() - clock.now();
      if (fresh || entry.token === undefined || left <= SPENT_MS) return await entry.renew(signal);
      if (left <= AHEAD_MS) renewAhead(entry);
      return entry.token;
    },
  };
}

function keyOf(request: TokenRequest): string {
  return request.kind === 'identity'
    ? `identity ${request.audience}`
    : `access ${(request.scopes ?? []).toSorted().join(' ')}`;
}

/** Asks again where the issuer says that it is busy (429, 503, no connection). */
async function patiently(
  ask: () => Promise<Token>,
  { clock, random, signal }: { clock: Clock; random: Random; signal: AbortSignal },
): Promise<Token> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      const asked = error instanceof Mk8sError ? (error.retryAfterMs ?? 0) : 0;
      const hopeless = !(error instanceof Mk8sError) || !error.retryable || asked > MOST_PATIENCE_MS;
      if (hopeless || failures >= MOST_ATTEMPTS) throw error;
      await clock.sleep(Math.max(asked, backoffDelay(failures, RETRY, random)), signal);
    }
  }
}

// A GET of a Google API that has no library of its own here, through google-auth-library's transporter.
import type { TokenSource } from '../../ports/token-source.ts';
import { type Access, accessAdvice } from '../google-api/google-advice.ts';
import { googleError } from '../google-api/google-error.ts';
import { CLOUD_PLATFORM } from '../google-api/scopes.ts';

const TIMEOUT_MS = 30_000;

/** `attempted` as in a GoogleAttempt; the rest says what it needs, for the advice where it is refused. */
type Attempt = Access & { readonly attempted: string };

export type GoogleGet = (
  url: URL,
  attempt: Attempt,
  signal?: AbortSignal,
) => Promise<Readonly<Record<string, unknown>>>;

/** Asks as the tokens' identity. Throws Mk8sError `http`, `credentials` or `unreachable`; never retries but for a 401. */
export function googleGet(tokens: TokenSource): GoogleGet {
  return async (url, attempt, signal) => {
    const { OAuth2Client } = await import('google-auth-library');
    async function ask(token: string): Promise<Readonly<Record<string, unknown>>> {
      const client = new OAuth2Client();
      client.setCredentials({ access_token: token });
      const { data } = await client.request<unknown>({
        url: url.href,
        retry: false,
        timeout: TIMEOUT_MS,
        ...(signal === undefined ? {} : { signal }),
      });
      if (typeof data !== 'object' || data === null) throw new Error('the answer is no JSON object');
      return data as Record<string, unknown>;
    }
    return await withAccessToken(tokens, ask, attempt, signal);
  };
}

/**
 * Asks with the kept token; after a 401 (it was revoked, or ended sooner than it said) once more with a fresh one. Throws
 * what the token source throws, else `googleError` of what `ask` threw.
 */
export async function withAccessToken<T>(
  tokens: TokenSource,
  ask: (token: string) => Promise<T>,
  attempt: Attempt,
  signal?: AbortSignal,
): Promise<T> {
  for (const fresh of [false, true]) {
    const { token } = await tokens.get({ kind: 'access', scopes: [CLOUD_PLATFORM] }, { fresh, signal });
    try {
      return await ask(token);
    } catch (error) {
      signal?.throwIfAborted();
      const explained = googleError(error, {
        attempted: attempt.attempted,
        identity: tokens.identity,
        advice: accessAdvice(attempt, tokens),
        code: 'http',
      });
      if (explained.status !== 401 || fresh) throw explained;
    }
  }
  throw new Error('unreachable: the second attempt returns or throws');
}

// A GET of a Google API that has no library of its own here, through google-auth-library's transporter.
import type { TokenSource } from '../../ports/token-source.ts';
import { type GoogleAttempt, googleError } from './google-error.ts';
import { CLOUD_PLATFORM } from './scopes.ts';

const TIMEOUT_MS = 30_000;

export type GoogleGet = (
  url: URL,
  attempt: Omit<GoogleAttempt, 'identity' | 'code'>,
  signal?: AbortSignal,
) => Promise<Readonly<Record<string, unknown>>>;

/** Asks as the tokens' identity. Throws Mk8sError `http`, `credentials` or `unreachable`; never retries. */
export function googleGet(tokens: TokenSource): GoogleGet {
  return async (url, attempt, signal) => {
    const { token } = await tokens.get({ kind: 'access', scopes: [CLOUD_PLATFORM] }, { signal });
    try {
      const { OAuth2Client } = await import('google-auth-library');
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
    } catch (error) {
      signal?.throwIfAborted();
      throw googleError(error, { ...attempt, identity: tokens.identity, code: 'http' });
    }
  };
}

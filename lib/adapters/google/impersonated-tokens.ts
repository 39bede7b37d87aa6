// Tokens of a Google service account that another identity may impersonate (roles/iam.serviceAccountTokenCreator).
// Source: https://cloud.google.com/iam/docs/reference/credentials/rest
import { Token } from '../../model/token.ts';
import type { TokenRequest, TokenSource } from '../../ports/token-source.ts';
import { googleError } from './google-error.ts';
import { jwtExpiry } from './jwt.ts';
import { CLOUD_PLATFORM } from './scopes.ts';

type Library = typeof import('google-auth-library');

/** The most that is granted without an organization policy. */
const LIFETIME_SECONDS = 3_600;

export interface ImpersonatedTokensOptions {
  /** Whose power it is to impersonate. */
  readonly by: TokenSource;
  /** `NAME@PROJECT.iam.gserviceaccount.com`. */
  readonly serviceAccount: string;
  /** Of access tokens, seconds; default 3600, the most without an organization policy. Identity tokens live an hour. */
  readonly lifetimeSeconds?: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Default `https://iamcredentials.googleapis.com`. */
  readonly url?: string;
  /** Default: the package google-auth-library, imported at the first use (100 ms). */
  readonly library?: () => Promise<Pick<Library, 'Impersonated' | 'OAuth2Client'>>;
}

export function impersonatedTokens(options: ImpersonatedTokensOptions): TokenSource {
  const {
    by,
    serviceAccount,
    lifetimeSeconds = LIFETIME_SECONDS,
    now,
    url,
    library = () => import('google-auth-library'),
  } = options;
  const identity = `service account ${serviceAccount} (impersonated by ${by.identity})`;

  async function impersonated(scopes: readonly string[], signal: AbortSignal | undefined) {
    const { token } = await by.get({ kind: 'access' }, { signal });
    const { Impersonated, OAuth2Client } = await library();
    const sourceClient = new OAuth2Client();
    sourceClient.setCredentials({ access_token: token });
    return new Impersonated({
      sourceClient,
      targetPrincipal: serviceAccount,
      targetScopes: [...scopes],
      lifetime: lifetimeSeconds,
      ...(url === undefined ? {} : { endpoint: url }),
    });
  }

  async function tokenOf(request: TokenRequest, signal: AbortSignal | undefined): Promise<Token> {
    if (request.kind === 'access') {
      const client = await impersonated(request.scopes ?? [CLOUD_PLATFORM], signal);
      const { token } = await client.getAccessToken();
      if (typeof token !== 'string' || token === '') throw new Error('the answer has no accessToken');
      return new Token(token, new Date(client.credentials.expiry_date ?? now() + lifetimeSeconds * 1000));
    }
    const client = await impersonated([CLOUD_PLATFORM], signal);
    const token = await client.fetchIdToken(request.audience, { includeEmail: true });
    const expiresAt = jwtExpiry(token);
    if (expiresAt === undefined) throw new Error('the answer is not a JWT with an expiry');
    return new Token(token, expiresAt);
  }

  return {
    identity,
    async get(request, { signal } = {}) {
      try {
        return await tokenOf(request, signal);
      } catch (error) {
        signal?.throwIfAborted();
        const what = request.kind === 'access' ? 'an access token' : `an identity token for ${request.audience}`;
        throw googleError(error, {
          attempted: `get ${what} of service account ${serviceAccount}`,
          identity: by.identity,
          advice: ({ status }) =>
            status === 403
              ? `Grant it: gcloud iam service-accounts add-iam-policy-binding ${serviceAccount} --role roles/iam.serviceAccountTokenCreator --member PRINCIPAL; and enable iamcredentials.googleapis.com`
              : status === 404
                ? 'Check the name: NAME@PROJECT.iam.gserviceaccount.com'
                : undefined,
        });
      }
    },
  };
}

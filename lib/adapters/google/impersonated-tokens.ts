// Tokens of a Google service account that another identity may impersonate (roles/iam.serviceAccountTokenCreator).
// Source: https://cloud.google.com/iam/docs/reference/credentials/rest
import { Token } from '../../model/token.ts';
import type { TokenRequest, TokenSource } from '../../ports/token-source.ts';
import { member } from '../google-api/google-advice.ts';
import { googleError, type Refusal } from '../google-api/google-error.ts';
import { CLOUD_PLATFORM } from '../google-api/scopes.ts';
import { jwtExpiry } from './jwt.ts';

type Library = typeof import('google-auth-library');

/** The most that is granted without an organization policy. */
const LIFETIME_SECONDS = 3_600;
const TIMEOUT_MS = 30_000;

export interface ImpersonatedTokensOptions {
  /** Whose power it is to impersonate. */
  readonly by: TokenSource;
  /** `NAME@PROJECT.iam.gserviceaccount.com`. */
  readonly serviceAccount: string;
  /** Of access tokens, seconds; default 3600, the most without an organization policy. Identity tokens live an hour. */
  readonly lifetimeSeconds?: number;
  /** Default `https://iamcredentials.googleapis.com`. */
  readonly url?: string;
  /** Default: the package google-auth-library, imported at the first use (100 ms). */
  readonly library?: () => Promise<Pick<Library, 'OAuth2Client'>>;
}

export function impersonatedTokens(options: ImpersonatedTokensOptions): TokenSource {
  const {
    by,
    serviceAccount,
    lifetimeSeconds = LIFETIME_SECONDS,
    url = 'https://iamcredentials.googleapis.com',
    library = () => import('google-auth-library'),
  } = options;

  async function call(method: string, body: object, signal: AbortSignal | undefined) {
    const { token } = await by.get({ kind: 'access' }, { signal });
    const { OAuth2Client } = await library();
    const client = new OAuth2Client();
    client.setCredentials({ access_token: token });
    const { data } = await client.request<Readonly<Record<string, unknown>>>({
      url: `${url}/v1/projects/-/serviceAccounts/${encodeURIComponent(serviceAccount).replace('%40', '@')}:${method}`,
      method: 'POST',
      data: body,
      retry: false,
      timeout: TIMEOUT_MS,
      ...(signal === undefined ? {} : { signal }),
    });
    return data;
  }

  async function tokenOf(request: TokenRequest, signal: AbortSignal | undefined): Promise<Token> {
    if (request.kind === 'access') {
      const scope = request.scopes ?? [CLOUD_PLATFORM];
      const answer = await call('generateAccessToken', { scope, lifetime: `${lifetimeSeconds}s` }, signal);
      const { accessToken: token, expireTime } = answer;
      const expiresAt = new Date(typeof expireTime === 'string' ? expireTime : Number.NaN);
      if (typeof token !== 'string' || token === '' || Number.isNaN(expiresAt.getTime())) {
        throw new Error('the answer has no accessToken and expireTime');
      }
      return new Token(token, expiresAt);
    }
    const { token } = await call('generateIdToken', { audience: request.audience, includeEmail: true }, signal);
    const expiresAt = typeof token === 'string' ? jwtExpiry(token) : undefined;
    if (typeof token !== 'string' || expiresAt === undefined) {
      throw new Error('the answer is not a JWT with an expiry');
    }
    return new Token(token, expiresAt);
  }

  return {
    get identity() {
      return `service account ${serviceAccount} (impersonated by ${by.identity})`;
    },
    principal: `serviceAccount:${serviceAccount}`,
    async get(request, { signal } = {}) {
      try {
        return await tokenOf(request, signal);
      } catch (error) {
        signal?.throwIfAborted();
        const what = request.kind === 'access' ? 'an access token' : `an identity token for ${request.audience}`;
        throw googleError(error, {
          attempted: `get ${what} of service account ${serviceAccount}`,
          identity: by.identity,
          advice: (refusal) => adviceFor(serviceAccount, by.principal, refusal),
        });
      }
    },
  };
}

function adviceFor(
  serviceAccount: string,
  caller: string | undefined,
  { status, disabled, consumer }: Refusal,
): string | undefined {
  if (disabled) {
    const project = consumer ?? /@(.+)\.iam\.gserviceaccount\.com$/.exec(serviceAccount)?.[1] ?? 'PROJECT';
    return `Enable it: gcloud services enable iamcredentials.googleapis.com --project ${project}`;
  }
  if (status === 403) {
    return `Grant it: gcloud iam service-accounts add-iam-policy-binding ${serviceAccount} --role roles/iam.serviceAccountTokenCreator --member ${member(caller)}`;
  }
  return status === 404 ? 'Check the name: NAME@PROJECT.iam.gserviceaccount.com' : undefined;
}

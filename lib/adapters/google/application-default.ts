// Application default credentials, as every Google tool finds them: GOOGLE_APPLICATION_CREDENTIALS (a service account key, an
// external account, an impersonation), else gcloud's file, else the metadata server.
// Source: https://cloud.google.com/docs/authentication/application-default-credentials
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Mk8sError } from '../../model/errors.ts';
import { Token } from '../../model/token.ts';
import type { TokenRequest, TokenSource } from '../../ports/token-source.ts';
import { googleError } from '../google-api/google-error.ts';
import { CLOUD_PLATFORM } from '../google-api/scopes.ts';
import { jwtExpiry } from './jwt.ts';

type Library = typeof import('google-auth-library');

/** Where a library does not say when an access token ends: Google's are good for an hour, so this is on the safe side. */
const UNKNOWN_LIFETIME_MS = 600_000;

/** True where there are credentials to find, the metadata server's aside: the variable is set, or gcloud's file is there. */
export async function hasApplicationDefault(
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): Promise<boolean> {
  if ((env['GOOGLE_APPLICATION_CREDENTIALS'] ?? '') !== '') return true;
  try {
    await access(join(home, '.config', 'gcloud', 'application_default_credentials.json'));
    return true;
  } catch {
    // No file, or none that may be read: what is left says so where it is needed.
    return false;
  }
}
/**
 * The library looks for the project before it makes credentials: it runs gcloud, which takes seconds, and asks Google. No token
 * depends on it, so it is given a word to content itself with.
 */
const WITHOUT_PROJECT = { projectId: 'not-asked-for' };

export interface ApplicationDefaultOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Default: the package google-auth-library, imported at the first use (100 ms). */
  readonly library?: () => Promise<Pick<Library, 'GoogleAuth'>>;
}

export interface ApplicationDefault extends TokenSource {
  /** The project that goes with the credentials, undefined where none does. */
  projectId(): Promise<string | undefined>;
  /** The service account's email, undefined where they are none's or do not say (a person's, a federated identity's). */
  email(): Promise<string | undefined>;
}

export function applicationDefault({
  now,
  library = () => import('google-auth-library'),
}: ApplicationDefaultOptions): ApplicationDefault {
  const identity = 'the application default credentials';
  const advice = (): string =>
    'Run "gcloud auth application-default login", or set GOOGLE_APPLICATION_CREDENTIALS to a credentials file';

  async function accessToken(scopes: readonly string[]): Promise<Token> {
    const attempted = 'get an access token';
    try {
      const { GoogleAuth } = await library();
      const client = await new GoogleAuth({ scopes: [...scopes], ...WITHOUT_PROJECT }).getClient();
      const { token } = await client.getAccessToken();
      if (typeof token !== 'string' || token === '') {
        throw new Mk8sError(`Cannot ${attempted} as ${identity}: they gave none. ${advice()}`, { code: 'credentials' });
      }
      return new Token(token, new Date(client.credentials.expiry_date ?? now() + UNKNOWN_LIFETIME_MS));
    } catch (error) {
      throw googleError(error, { attempted, identity, advice });
    }
  }

  async function identityToken(audience: string): Promise<Token> {
    const attempted = `get an identity token for ${audience}`;
    try {
      const { GoogleAuth } = await library();
      const client = await new GoogleAuth(WITHOUT_PROJECT).getIdTokenClient(audience);
      const token = await client.idTokenProvider.fetchIdToken(audience);
      const expiresAt = jwtExpiry(token);
      if (expiresAt === undefined) {
        throw new Mk8sError(`Cannot ${attempted} as ${identity}: the answer is not a JWT with an expiry`, {
          code: 'protocol',
        });
      }
      return new Token(token, expiresAt);
    } catch (error) {
      throw googleError(error, {
        attempted,
        identity,
        // gcloud's user credentials have no identity tokens for a chosen audience.
        advice: () => 'Use a service account, or let them impersonate one (impersonate)',
      });
    }
  }

  return {
    identity,
    async get(request: TokenRequest, { signal } = {}) {
      signal?.throwIfAborted();
      return request.kind === 'access'
        ? await accessToken(request.scopes ?? [CLOUD_PLATFORM])
        : await identityToken(request.audience);
    },
    async projectId() {
      const { GoogleAuth } = await library();
      try {
        return await new GoogleAuth().getProjectId();
      } catch {
        // Credentials without a project: who needs one asks for it by name.
        return undefined;
      }
    },
    async email() {
      const { GoogleAuth } = await library();
      try {
        return (await new GoogleAuth(WITHOUT_PROJECT).getCredentials()).client_email;
      } catch {
        // As above: who needs to know has to be content with less.
        return undefined;
      }
    },
  };
}

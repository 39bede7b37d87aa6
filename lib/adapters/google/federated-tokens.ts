// A Kubernetes service account's JWT exchanged for a Google access token (RFC 8693): the way to Google's APIs without a
// metadata server, from any cluster whose issuer a workload identity pool trusts.
// Source: https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
import { Mk8sError } from '../../model/errors.ts';
import { Token } from '../../model/token.ts';
import type { TokenRequest, TokenSource } from '../../ports/token-source.ts';
import { googleError, type Refusal } from '../google-api/google-error.ts';
import { CLOUD_PLATFORM } from '../google-api/scopes.ts';

type Library = typeof import('google-auth-library');

/** STS says how long; where it does not, a federated token is good for an hour, so this is on the safe side. */
const UNKNOWN_LIFETIME_MS = 600_000;

export interface FederatedTokensOptions {
  /** Gives the JWT, for the audience `pool`. */
  readonly subject: TokenSource;
  /**
   * The audience of the JWT: `PROJECT.svc.id.goog` for GKE and fleets, else
   * `//iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`.
   */
  readonly pool: string;
  /**
   * Which cluster issued it, where the pool is a `svc.id.goog`: for GKE
   * `https://container.googleapis.com/v1/projects/P/locations/L/clusters/C`, for a fleet
   * `https://gkehub.googleapis.com/projects/P/locations/global/memberships/M`.
   */
  readonly provider?: string;
  /** What IAM calls the identity, for messages. */
  readonly principal?: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Default `https://sts.googleapis.com/v1/token`. */
  readonly url?: string;
  /** Default: the package google-auth-library, imported at the first use (100 ms). */
  readonly library?: () => Promise<Pick<Library, 'IdentityPoolClient'>>;
}

/** Access tokens only: a federated identity has no identity tokens (impersonate a service account for these). */
export function federatedTokens(options: FederatedTokensOptions): TokenSource {
  const { subject, pool, provider, now, url, library = () => import('google-auth-library') } = options;
  const identity = `${subject.identity} in the pool ${pool}`;
  const audience = provider === undefined ? pool : `identitynamespace:${pool}:${provider}`;

  async function exchange(scopes: readonly string[], signal: AbortSignal | undefined): Promise<Token> {
    const attempted = `exchange its token for a Google access token (${audience})`;
    const jwt = await subject.get({ kind: 'identity', audience: pool }, { signal });
    try {
      const { IdentityPoolClient } = await library();
      const client = new IdentityPoolClient({
        audience,
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        subject_token_supplier: { getSubjectToken: () => Promise.resolve(jwt.token) },
        ...(url === undefined ? {} : { token_url: url }),
        scopes: [...scopes],
        transporterOptions: { retry: false },
      });
      const { token } = await client.getAccessToken();
      if (typeof token !== 'string' || token === '') throw new Error('the answer has no access_token');
      return new Token(token, new Date(client.credentials.expiry_date ?? now() + UNKNOWN_LIFETIME_MS));
    } catch (error) {
      signal?.throwIfAborted();
      throw googleError(error, {
        attempted,
        identity,
        advice,
      });
    }
  }

  return {
    identity,
    principal: options.principal,
    async get(request: TokenRequest, { signal } = {}) {
      if (request.kind === 'access') return await exchange(request.scopes ?? [CLOUD_PLATFORM], signal);
      throw new Mk8sError(
        `Cannot get an identity token for ${request.audience} as ${identity}: a federated identity has none. Let it impersonate a service account`,
        { code: 'credentials' },
      );
    },
  };
}

function advice({ status, disabled, consumer }: Refusal): string | undefined {
  if (disabled) return `Enable it: gcloud services enable sts.googleapis.com --project ${consumer ?? 'PROJECT'}`;
  if (status !== 400 && status !== 401) return undefined;
  return 'Check that the pool and its provider exist and trust the issuer of this cluster (gcloud container fleet memberships list; gcloud iam workload-identity-pools list --location global), and that the clock of the cluster is right';
}

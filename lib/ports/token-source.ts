// Where tokens come from: metadata server, application default credentials, a Kubernetes service account, an exchange.
import type { Token } from '../model/token.ts';

export type TokenRequest =
  /** An OAuth 2.0 access token. `scopes` default to `https://www.googleapis.com/auth/cloud-platform`. */
  | { readonly kind: 'access'; readonly scopes?: readonly string[] }
  /** A signed identity (a JWT) that only `audience` accepts. */
  | { readonly kind: 'identity'; readonly audience: string };

export interface TokenSource {
  /** Who its tokens speak for, for messages: `service account a@p.iam.gserviceaccount.com (metadata server)`. */
  readonly identity: string;
  /** What IAM calls it, for commands that grant something: `serviceAccount:a@p.iam.gserviceaccount.com`. */
  readonly principal?: string | undefined;
  /**
   * A token that is good for a while. Never retries by itself. Throws Mk8sError `credentials`, retryable where asking
   * again may help, whose message names the step and the identity and contains no token.
   */
  get(request: TokenRequest, options?: TokenOptions): Promise<Token>;
}

interface TokenOptions {
  /** A new one, although the one that is kept has not expired: it was refused. Sources that keep none ignore it. */
  readonly fresh?: boolean;
  readonly signal?: AbortSignal | undefined;
}

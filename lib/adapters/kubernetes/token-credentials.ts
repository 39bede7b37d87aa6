// Credentials for an API server out of a token source: Google's access tokens for GKE and Connect Gateway.
import type { Token } from '../../model/token.ts';
import type { TokenRequest, TokenSource } from '../../ports/token-source.ts';
import { bearer, type Credential, type Credentials } from './credentials.ts';

/** The same token stays the same credential, so that connections are kept. */
export function tokenCredentials(tokens: TokenSource, request: TokenRequest): Credentials {
  let last: { readonly token: Token; readonly credential: Credential } | undefined;
  return {
    async get({ fresh, signal }) {
      const token = await tokens.get(request, { fresh, signal });
      if (last?.token !== token) last = { token, credential: bearer(token.token, tokens.identity) };
      return last.credential;
    },
  };
}

// Our tokens in Google's libraries, which want a client of google-auth-library.
import type { TokenSource } from '../../ports/token-source.ts';
import { CLOUD_PLATFORM } from './scopes.ts';

type AuthLibrary = typeof import('google-auth-library');

/** It asks for a token when it has none or the one that it has ends within five minutes. */
export function authClient(
  { OAuth2Client }: Pick<AuthLibrary, 'OAuth2Client'>,
  tokens: TokenSource,
): InstanceType<AuthLibrary['OAuth2Client']> {
  const client = new OAuth2Client();
  client.refreshHandler = async () => {
    const token = await tokens.get({ kind: 'access', scopes: [CLOUD_PLATFORM] });
    return { access_token: token.token, expiry_date: token.expiresAt.getTime() };
  };
  return client;
}

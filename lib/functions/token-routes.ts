// The endpoints of the function that mints, over one way to a token.
import { getCredential, requestAccountToken } from './account-tokens.ts';
import { createMint, type Mint } from './mint.ts';
import type { Route } from './route.ts';
import type { Services } from './services.ts';
import { exchangeToken } from './token-exchange.ts';

export function tokenRoutes(services: Services): readonly Route[] {
  return routesOver(createMint(services));
}

export function routesOver(mint: Mint): readonly Route[] {
  return [requestAccountToken(mint), getCredential(mint), exchangeToken(mint)];
}

// The endpoints of the function that mints, over one way to a token.
import { getCredential, requestAccountToken } from './account-tokens.ts';
import type { Admit } from './dispatch.ts';
import { createMint, type Mint } from './mint.ts';
import type { Route } from './route.ts';
import type { Services } from './services.ts';
import { exchangeToken } from './token-exchange.ts';

export function tokenRoutes(services: Services, admit: Admit): readonly Route[] {
  return routesOver(createMint(services), admit);
}

export function routesOver(mint: Mint, admit: Admit): readonly Route[] {
  return [requestAccountToken(mint), getCredential(mint), exchangeToken(mint, (caller) => admit('tokens', caller))];
}

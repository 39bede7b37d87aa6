// The description of all endpoints of both functions: what the client is generated from.
import { aboutRoutes } from './about.ts';
import { LIST_ROUTES } from './handlers.ts';
import type { JsonSchema } from './json-schema.ts';
import { openApi } from './openapi.ts';
import { routesOver } from './token-routes.ts';

export function describeAll(version: string): JsonSchema {
  const never = (): never => {
    throw new Error('The description calls nothing.');
  };
  return openApi([...LIST_ROUTES, ...routesOver(never), ...aboutRoutes(never)], version);
}

// Pages of other origins may read answers only where their origin is configured, exactly.
import type { HttpRequest, HttpResponse } from '../ports/http.ts';

export function corsHeaders({ headers }: HttpRequest, origins: readonly string[]): Readonly<Record<string, string>> {
  if (origins.length === 0) return {};
  const [origin] = headers.get('origin') ?? [];
  if (origin === undefined || !origins.includes(origin)) return { vary: 'Origin' };
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'ETag, Retry-After, X-Request-Id',
    'cross-origin-resource-policy': 'cross-origin',
    vary: 'Origin',
  };
}

/** The answer to a browser that asks beforehand; undefined where it asks for no configured origin. */
export function preflight(request: HttpRequest, origins: readonly string[]): HttpResponse | undefined {
  const allowed = corsHeaders(request, origins);
  const asks = request.method === 'OPTIONS' && request.headers.has('access-control-request-method');
  if (!asks || allowed['access-control-allow-origin'] === undefined) return undefined;
  const headers = {
    ...allowed,
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': 'Authorization, Content-Type, If-None-Match, X-Serverless-Authorization',
    'access-control-max-age': '600',
  };
  return { status: 204, headers, body: '' };
}

// An answer as bytes: JSON or YAML, as the client accepts, with an ETag where it may keep it.
import { hash } from 'node:crypto';
import type { HttpRequest, HttpResponse } from '../ports/http.ts';
import { Problem } from './problems.ts';
import type { Answer, MediaType, Route } from './route.ts';

/** What of `gives` the client prefers (RFC 9110, 12.5.1). Throws Problem `not-acceptable`. */
function negotiate(accept: readonly string[], gives: readonly MediaType[]): MediaType {
  const ranges = accept
    .join(',')
    .split(',')
    .map((text) => text.trim().toLowerCase())
    .filter((text) => text !== '')
    .slice(0, 50)
    .map((text) => {
      const [type = '', ...parameters] = text.split(';').map((part) => part.trim());
      const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      return { type, q: q === undefined ? 1 : Number(q) || 0 };
    });
  if (ranges.length === 0) return gives[0] ?? 'application/json';
  const weight = (media: MediaType): number => {
    for (const type of [media, 'application/*', '*/*']) {
      const found = ranges.find((range) => range.type === type);
      if (found !== undefined) return found.q;
    }
    return 0;
  };
  const best = gives.toSorted((a, b) => weight(b) - weight(a))[0];
  if (best === undefined || weight(best) === 0) {
    throw new Problem('not-acceptable', { detail: `There is ${gives.join(' and ')}` });
  }
  return best;
}

export async function represent(route: Route, answer: Answer, request: HttpRequest): Promise<HttpResponse> {
  const status = answer.status ?? 200;
  const { text } = answer;
  if (text !== undefined) {
    const policy = text.contentSecurityPolicy;
    const security: Record<string, string> = policy === undefined ? {} : { 'content-security-policy': policy };
    return { status, headers: { 'content-type': text.type, ...security, ...answer.headers }, body: text.content };
  }
  const media = negotiate(request.headers.get('accept') ?? [], route.gives);
  const body = media === 'application/json' ? `${JSON.stringify(answer.body)}\n` : await yamlOf(answer.body);
  const headers = { 'content-type': media, vary: 'Accept, Authorization', ...answer.headers };
  if (answer.revalidates !== true) return { status, headers, body };
  // It covers the representation; a cache shared by callers must not keep it at all.
  const etag = `"${hash('sha256', `${media}\n${body}`, 'base64url').slice(0, 27)}"`;
  const kept = { ...headers, etag, 'cache-control': 'private, no-cache' };
  const known = (request.headers.get('if-none-match') ?? []).join(',').split(',');
  const holds = known.some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
  return holds ? { status: 304, headers: kept, body: '' } : { status, headers: kept, body };
}

async function yamlOf(value: unknown): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(value, { aliasDuplicateObjects: false });
}

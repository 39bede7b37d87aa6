// One request to the metadata server, answered: paths to entries, parameters to formats, failures to statuses that Google's
// client libraries understand (they ask again after 5xx and 429 only).
import { Mk8sError, messageOf } from '../model/errors.ts';
import type { Token } from '../model/token.ts';
import type { TokenSource } from '../ports/token-source.ts';
import { errorPage } from './error-page.ts';
import { type RequestHeaders, refusalOf } from './guard.ts';
import { type Format, renderNames, renderTree, renderValue } from './render.ts';
import type { Directory, Entry } from './tree.ts';

export interface MetadataRequest {
  readonly method: string;
  /** As in the request line: path and query. */
  readonly target: string;
  readonly headers: RequestHeaders;
}

export interface MetadataAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** May hold a token: it goes to who asked and nowhere else. */
  readonly body: string;
  /** What to say of it to the operator, in a sentence without secrets; nothing for what is read all the time. */
  readonly note?: string;
}

export interface MetadataService {
  readonly root: Directory;
  readonly tokens: TokenSource;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** The same as the kept tokens' bound: a caller may not make the server remember any number of things. */
const MOST_SCOPES = 100;
const MOST_CHARACTERS = 2_000;

/** Never throws for what a caller sent, nor for a token that cannot be had: that is an answer too. */
export async function answerOf(request: MetadataRequest, service: MetadataService): Promise<MetadataAnswer> {
  const refused = refusalOf(request.method, request.headers);
  if (refused !== undefined) return { ...failure(refused.status, refused.message), note: refused.message };
  const url = request.target.startsWith('/') ? parsed(`http://metadata${request.target}`) : undefined;
  const segments = url === undefined ? undefined : segmentsOf(url.pathname);
  if (url === undefined || segments === undefined) return failure(400, 'The URL is malformed.');
  const { searchParams: parameters, pathname: path } = url;
  if (parameters.has('wait_for_change') && parameters.get('wait_for_change') !== 'false') {
    return failure(400, 'wait_for_change is not offered here: the values do not change while this server runs.');
  }
  const alt = parameters.get('alt');
  if (alt !== null && alt !== 'json' && alt !== 'text') return failure(400, 'alt must be json or text.');
  const entry = entryAt(service.root, segments);
  if (entry === undefined) return notFound(path);
  if (entry.kind === 'directory' && !path.endsWith('/')) return redirect(segments, url.search);
  if (entry.kind === 'directory') return await directoryAnswer(entry, parameters, alt);
  if (path.endsWith('/')) return notFound(path);
  try {
    return await entryAnswer(entry, url, alt ?? 'text', service);
  } catch (error) {
    return troubled(error);
  }
}

function parsed(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function segmentsOf(path: string): readonly string[] | undefined {
  try {
    return path
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent);
  } catch {
    // A percent sign that is followed by no two hexadecimal digits.
    return undefined;
  }
}

function entryAt(root: Directory, segments: readonly string[]): Entry | undefined {
  let entry: Entry | undefined = root;
  for (const segment of segments) {
    entry = entry?.kind === 'directory' ? entry.entries.get(segment) : undefined;
  }
  return entry;
}

/** As the real one does. Without a host, and with its segments anew, so that it leads nowhere else (`//example.com`). */
function redirect(segments: readonly string[], search: string): MetadataAnswer {
  const path = `/${segments.map(encodeURIComponent).join('/')}/`;
  return { status: 301, headers: { location: `${path}${search}`, 'content-type': 'text/html' }, body: `${path}\n` };
}

async function directoryAnswer(
  directory: Directory,
  parameters: URLSearchParams,
  alt: Format | null,
): Promise<MetadataAnswer> {
  if (parameters.get('recursive')?.toLowerCase() === 'true') {
    return found(await renderTree(directory, alt ?? 'json'), alt ?? 'json');
  }
  return found(renderNames(directory, alt ?? 'text'), alt ?? 'text');
}

async function entryAnswer(
  entry: Exclude<Entry, Directory>,
  { pathname: path, searchParams: parameters }: URL,
  format: Format,
  service: MetadataService,
): Promise<MetadataAnswer> {
  if (entry.kind === 'value') {
    const value = await entry.read();
    return value === undefined ? notFound(path) : found(renderValue(value, format), format);
  }
  return entry.kind === 'access-token'
    ? await accessToken(parameters, service)
    : await identityToken(parameters, service);
}

async function accessToken(parameters: URLSearchParams, service: MetadataService): Promise<MetadataAnswer> {
  const scopes = (parameters.get('scopes') ?? '').split(/[\s,]+/).filter((scope) => scope !== '');
  // RFC 6749, 3.3.
  if (scopes.length > MOST_SCOPES || !scopes.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]{1,300}$/.test(scope))) {
    return failure(400, 'scopes must be a list of OAuth 2.0 scopes, separated by commas.');
  }
  const token = await service.tokens.get(
    { kind: 'access', ...(scopes.length === 0 ? {} : { scopes }) },
    { signal: service.signal },
  );
  const seconds = Math.max(0, Math.floor((token.expiresAt.getTime() - service.now()) / 1000));
  const body = JSON.stringify({ access_token: token.token, expires_in: seconds, token_type: 'Bearer' });
  return secret(body, 'application/json', token, 'access token');
}

/** `format` and `licenses` are ignored: the issuer decides what is in it. */
async function identityToken(parameters: URLSearchParams, service: MetadataService): Promise<MetadataAnswer> {
  const audience = parameters.get('audience') ?? '';
  if (audience === '') return failure(400, 'non-empty audience parameter required');
  if (audience.length > MOST_CHARACTERS) return failure(400, 'audience is too long.');
  const token = await service.tokens.get({ kind: 'identity', audience }, { signal: service.signal });
  return secret(token.token, 'text/html', token, `identity token for ${audience}`);
}

function secret(body: string, type: string, token: Token, what: string): MetadataAnswer {
  return {
    status: 200,
    headers: { 'content-type': type, 'cache-control': 'no-store' },
    body,
    note: `Gave an ${what}; it ends at ${token.expiresAt.toISOString()}.`,
  };
}

function found(body: string, format: Format): MetadataAnswer {
  return {
    status: 200,
    headers: { 'content-type': format === 'json' ? 'application/json' : 'application/text' },
    body,
  };
}

function notFound(path: string): MetadataAnswer {
  return failure(404, path);
}

function failure(status: number, message: string): MetadataAnswer {
  return { status, headers: { 'content-type': 'text/html; charset=UTF-8' }, body: errorPage(status, message) };
}

/** Errors of ours have messages without tokens. Anything else is a bug, and its message stays here. */
function troubled(error: unknown): MetadataAnswer {
  if (!(error instanceof Mk8sError)) {
    return { ...failure(500, 'This is a bug in mk8s.'), note: `This is a bug in mk8s: ${messageOf(error)}` };
  }
  const { message, retryable, retryAfterMs } = error;
  const { headers, ...rest } = failure(retryable ? 503 : 403, message);
  return {
    ...rest,
    headers: {
      ...headers,
      'cache-control': 'no-store',
      ...(retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }),
    },
    note: message,
  };
}

// From a request to its answer: who asks, may he, and which part of the server it is for.
import { createHash } from 'node:crypto';
import { Authenticator, type User } from './authentication.ts';
import type { Authorizer } from './authorization.ts';
import type { Cluster } from './cluster.ts';
import { aggregated, aggregatedType, group, groupList, resourceList } from './discovery.ts';
import type { Faults } from './faults.ts';
import { asObject, encode, type Json, type JsonObject } from './json.ts';
import { flag } from './list-options.ts';
import { openapiDocument, openapiIndex } from './openapi.ts';
import { type Answer, json, type Request, text } from './reply.ts';
import { parseJson, readBody } from './request-body.ts';
import { permissionName, type RequestInfo, requestInfo } from './request-info.ts';
import { serveResource, type WatchAnswer } from './resources.ts';
import { type Reviewer, reviews } from './reviews.ts';
import { failure, pathNotFound } from './status.ts';
import { issuer, type TokenKey } from './tokens.ts';
import { notAcceptable } from './view.ts';

export interface Backend {
  readonly cluster: Cluster;
  readonly faults: Faults;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly reviewer: Reviewer;
  readonly key: TokenKey;
  /** How long a resourceVersion of the future is waited for, in milliseconds. */
  readonly futureTimeout: number;
  /** Carries out what another process asks for under /_sandbox/. Admin only. */
  readonly control: (action: string, parameters: JsonObject) => JsonObject;
}

/** Answers one request. Throws ApiError. */
export async function route(backend: Backend, request: Request): Promise<Answer | WatchAnswer> {
  const url = new URL(request.url, 'https://sandbox');
  const user = impersonated(backend, request, backend.authenticator.authenticate(request.headers.authorization));
  const { method, headers } = request;
  const info = requestInfo(method, url.pathname, url.searchParams);
  if (info === undefined || info.plural === '') {
    backend.authorizer.checkPath(user, method.toLowerCase(), url.pathname);
    if (url.pathname.startsWith('/_sandbox/')) return control(backend, request, url);
    return serveDocument(backend, url, headers.accept, headers['if-none-match']);
  }
  if (method === 'OPTIONS') throw pathNotFound();
  backend.authorizer.check(user, attributes(info, url.searchParams));
  const body = method === 'GET' || method === 'HEAD' ? '' : await readBody(request);
  const answered = serveQuestion(backend, user, info, body);
  if (answered !== undefined) return answered;
  const served = await serveResource(
    backend.cluster,
    backend.faults,
    {
      info,
      query: url.searchParams,
      accept: headers.accept,
      contentType: headers['content-type'] ?? '',
      userAgent: headers['user-agent'] ?? '',
      body,
    },
    backend.futureTimeout,
  );
  return 'watch' in served || !flag(url.searchParams.get('pretty')) ? served : pretty(served);
}

function pretty(answer: Answer): Answer {
  if (answer.type !== undefined) return answer;
  return { ...answer, type: 'application/json', body: [encode(JSON.parse(answer.body.join('')) as Json, 2)] };
}

function attributes(info: RequestInfo, query: URLSearchParams) {
  const { group, plural, subresource, namespace, verb } = info;
  const resource = subresource === '' ? plural : `${plural}/${subresource}`;
  return { verb, group, resource, namespace, name: permissionName(info, query) };
}

function impersonated({ authorizer }: Backend, { headers }: Request, user: User): User {
  const name = headers['impersonate-user'];
  if (typeof name !== 'string') return user;
  authorizer.check(user, { verb: 'impersonate', group: '', resource: 'users', namespace: '', name });
  const groups = headers['impersonate-group'];
  const given = groups === undefined ? [] : Array.isArray(groups) ? groups : [groups];
  return { username: name, groups: [...given, 'system:authenticated'] };
}

/** Reviews and token requests, which are created but never stored. */
function serveQuestion({ reviewer }: Backend, user: User, info: RequestInfo, body: string): Answer | undefined {
  const { group, plural, namespace, name, subresource, verb } = info;
  if (plural === 'serviceaccounts' && group === '' && subresource === 'token' && verb === 'create') {
    return json(201, reviewer.tokenRequest(namespace, name, asObject(parseJson(body, 'TokenRequest'))));
  }
  const kind = reviews[plural]?.kind;
  if (verb !== 'create' || kind === undefined) return undefined;
  const answer = reviewer.review(group, plural, user, asObject(parseJson(body, kind)));
  return answer === undefined ? undefined : json(201, answer);
}

async function control(backend: Backend, request: Request, { pathname }: URL): Promise<Answer> {
  if (request.method !== 'POST') throw pathNotFound();
  const parameters = asObject(parseJson(await readBody(request), 'parameters'));
  try {
    return json(200, backend.control(pathname.slice('/_sandbox/'.length), parameters));
  } catch (error) {
    throw failure(400, 'BadRequest', error instanceof Error ? error.message : String(error));
  }
}

function serveDocument(
  backend: Backend,
  { pathname }: URL,
  accept: string | undefined,
  etag: string | undefined,
): Answer {
  const { registry } = backend.cluster;
  const parts = pathname.split('/').filter((part) => part !== '');
  const [first = '', second, third] = parts;
  switch (first) {
    case 'version':
      return { code: 200, type: 'application/json', body: [JSON.stringify(version, null, 2)] };
    case 'healthz':
    case 'livez':
      return text(200, 'ok');
    case 'readyz':
      return backend.cluster.now() < backend.faults.initializingUntil
        ? text(500, '[+]ping ok\n[-]informer-sync failed: reason withheld\nreadyz check failed\n')
        : text(200, 'ok');
    case 'api':
      if (second === undefined) return discover(registry, true, accept, etag);
      return found(resourceList(registry, '', second));
    case 'apis':
      if (second === undefined) return discover(registry, false, accept, etag);
      return found(third === undefined ? group(registry, second) : resourceList(registry, second, third));
    case 'openapi':
      if (second !== 'v3') throw pathNotFound();
      if (third !== undefined) return found(openapiDocument(registry, parts.slice(2).join('/')));
      return { code: 200, type: 'text/plain; charset=utf-8', body: [encode(openapiIndex(registry))] };
    case 'openid':
      if (accept === 'application/json') throw keySetOnly();
      return { code: 200, type: 'application/jwk-set+json', body: [encode(backend.key.keySet())], headers: forAnHour };
    case '.well-known':
      return { code: 200, type: 'application/json', body: [encode(configuration)], headers: forAnHour };
    default:
      throw pathNotFound();
  }
}

const forAnHour = { 'Cache-Control': 'public, max-age=3600' };
const configuration: JsonObject = {
  issuer,
  jwks_uri: `${issuer}/openid/v1/jwks`,
  response_types_supported: ['id_token'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['ES256'],
};

function keySetOnly(): Error {
  const message = '406: Not Acceptable\n\nAvailable representations: application/jwk-set+json';
  return failure(406, 'NotAcceptable', message, {});
}

function found(document: JsonObject | undefined): Answer {
  if (document === undefined) throw pathNotFound();
  return json(200, document);
}

function discover(
  registry: Cluster['registry'],
  core: boolean,
  accept: string | undefined,
  etag: string | undefined,
): Answer {
  for (const alternative of (accept ?? '*/*').split(',')) {
    const [type = '', ...parameters] = alternative.split(';').map((part) => part.trim());
    if (type !== 'application/json' && type !== '*/*' && type !== 'application/*') continue;
    if (parameters.includes('v=v2') && parameters.includes('g=apidiscovery.k8s.io')) {
      const body = encode(aggregated(registry, core));
      const own = `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"`;
      const headers = { Etag: own, Vary: 'Accept', 'Cache-Control': 'public' };
      if (etag === own) return { code: 304, type: '', body: [], headers };
      return { code: 200, body: [body], headers: { ...headers, 'Content-Type': aggregatedType } };
    }
    if (!parameters.some((parameter) => parameter.startsWith('as=')))
      return json(200, core ? coreVersions : groupList(registry));
  }
  throw notAcceptable('application/json');
}

const coreVersions: JsonObject = {
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1:443' }],
};

const version = {
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: 'v1.36.2',
  gitCommit: '0000000000000000000000000000000000000000',
  gitTreeState: 'clean',
  buildDate: '2026-08-21T00:00:00Z',
  goVersion: 'go1.26.10',
  compiler: 'gc',
  platform: 'linux/amd64',
};

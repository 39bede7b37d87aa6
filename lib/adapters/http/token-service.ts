// The client of mk8s' token service: asks with the caller's identity token, and hands on what it grants.
// Its wire formats: docs/functions.md.
import { Mk8sError, messageOf } from '../../model/errors.ts';
import { Token } from '../../model/token.ts';
import { withoutCredentials } from '../../model/without-credentials.ts';
import type { GoogleSubject, ServiceAccountName, TokenBroker } from '../../ports/token-broker.ts';
import type { TokenSource } from '../../ports/token-source.ts';
import { readBounded } from './read-bounded.ts';
import { retryAfterMs } from './retry-after.ts';

export interface TokenServiceOptions {
  /** Without a slash at its end. */
  readonly url: string;
  /** Of the caller's identity tokens. */
  readonly audience: string;
  readonly caller: TokenSource;
  readonly fetch: typeof fetch;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A mint upstream takes a second or two; a service that hangs shall not hang kubectl for ever. */
const TIMEOUT_MS = 30_000;
/** A token is a few KiB. */
const MOST_BYTES = 256 * 1024;
const TYPE = 'urn:ietf:params:oauth:token-type:';

/** Throws Mk8sError `credentials` (401, 403), `http` (another status), `unreachable`, `protocol`, or `config` for what is missing. */
export function tokenService(options: TokenServiceOptions): TokenBroker {
  const { url, now } = options;
  const send = sender(options);
  return {
    async serviceAccountToken({ cluster, namespace, name, audience, expirationSeconds }, signal) {
      const place = accountPath({
        ...(cluster === undefined ? {} : { cluster }),
        ...(namespace === undefined ? {} : { namespace }),
        name,
      });
      const spec = {
        ...(audience === undefined ? {} : { audiences: [audience] }),
        ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
      };
      const attempted = `get a token for service account "${namespace}/${name}" of cluster "${cluster}"`;
      const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec });
      const request = { method: 'POST', path: `/v1/${place}/token`, type: 'application/json', body };
      return tokenOfStatus(await send(request, attempted, signal), `Cannot ${attempted} from ${url}`);
    },
    async googleToken(request, subject, signal) {
      const attempted =
        request.kind === 'access' ? 'get a Google access token' : `get an identity token for ${request.audience}`;
      const resource = resourceOf(subject);
      const parameters = (subjectToken: string): string =>
        new URLSearchParams({
          grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
          subject_token: subjectToken,
          subject_token_type: `${TYPE}id_token`,
          requested_token_type: `${TYPE}${request.kind === 'access' ? 'access_token' : 'id_token'}`,
          resource,
          ...(request.kind === 'identity' ? { audience: request.audience } : {}),
          ...(request.kind === 'access' && request.scopes !== undefined ? { scope: request.scopes.join(' ') } : {}),
        }).toString();
      const exchange = {
        method: 'POST',
        path: '/v1/token',
        type: 'application/x-www-form-urlencoded',
        body: parameters,
      };
      const answer = await send(exchange, attempted, signal);
      const { access_token: token, expires_in: seconds } = answer;
      if (typeof token === 'string' && token !== '' && typeof seconds === 'number' && seconds > 0) {
        return new Token(token, new Date(now() + seconds * 1000));
      }
      throw noToken(`Cannot ${attempted} from ${url}`, 'access_token and expires_in');
    },
    async credential({ cluster, serviceAccount }, signal) {
      const query = new URLSearchParams({
        ...(serviceAccount?.namespace === undefined ? {} : { namespace: serviceAccount.namespace }),
        ...(serviceAccount === undefined ? {} : { serviceaccount: serviceAccount.name }),
      }).toString();
      const attempted = `get a credential for cluster "${cluster}"`;
      const path = `/v1/clusters/${segment(cluster, '--cluster')}/credential${query === '' ? '' : `?${query}`}`;
      const answer = await send({ method: 'GET', path }, attempted, signal);
      return tokenOfStatus(answer, `Cannot ${attempted} from ${url}`);
    },
    close: () => Promise.resolve(),
  };
}

interface ServiceRequest {
  readonly method: string;
  readonly path: string;
  readonly type?: string;
  /** A function gets the caller's token. */
  readonly body?: string | ((callerToken: string) => string);
}

type Send = (
  request: ServiceRequest,
  attempted: string,
  signal: AbortSignal,
) => Promise<Readonly<Record<string, unknown>>>;

function sender({ url, audience, caller, fetch, now }: TokenServiceOptions): Send {
  return async ({ method, path, type, body }, attempted, signal) => {
    const { token } = await caller.get({ kind: 'identity', audience }, { signal });
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const what = `Cannot ${attempted} from ${url} as ${caller.identity}`;
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${url}${path}`, {
        method,
        // The token is for this service alone: it follows no redirect.
        redirect: 'manual',
        signal: limit,
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${token}`,
          // Cloud Run's IAM takes its proof from here, and leaves the other header as it is.
          'x-serverless-authorization': `Bearer ${token}`,
          ...(type === undefined ? {} : { 'content-type': type }),
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : body(token) }),
      });
      text = await readBounded(response, MOST_BYTES);
    } catch (error) {
      signal.throwIfAborted();
      throw broken(what, error, limit.aborted);
    }
    const answer = recordOf(text);
    if (response.status >= 200 && response.status < 300 && answer !== undefined) return answer;
    throw refusal(what, response, answer, now());
  };
}

/** RFC 9457: `type`, `title`, `detail`, `instance`. */
function refusal(
  what: string,
  response: Response,
  problem: Readonly<Record<string, unknown>> | undefined,
  now: number,
): Mk8sError {
  const { status } = response;
  const text = (key: string): string => (typeof problem?.[key] === 'string' ? problem[key].slice(0, 500) : '');
  const reason = text('type').replace(/^.*\//, '');
  const said = withoutCredentials([text('title'), text('detail')].filter((part) => part !== '').join(': '));
  const id = text('instance').replace(/^urn:uuid:/, '');
  const why =
    problem === undefined
      ? `it answered ${status} with something that is not JSON; is it an mk8s service, and does IAM let the caller in?`
      : [`${status} ${reason}`.trim(), said, id === '' ? '' : `(request ${id})`]
          .filter((part) => part !== '')
          .join(' ');
  const wait = retryAfterMs(response.headers.get('retry-after') ?? undefined, now);
  return new Mk8sError(`${what}: ${why}`, {
    code: status === 401 || status === 403 ? 'credentials' : 'http',
    retryable: status === 429 || status >= 500,
    status,
    ...(reason === '' ? {} : { reason }),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
}

/** A TokenRequest's status and an ExecCredential's name the token and its end alike. */
function tokenOfStatus({ status }: Readonly<Record<string, unknown>>, what: string): Token {
  const { token, expirationTimestamp } = (typeof status === 'object' && status !== null ? status : {}) as Record<
    string,
    unknown
  >;
  const expiresAt = new Date(typeof expirationTimestamp === 'string' ? expirationTimestamp : Number.NaN);
  if (typeof token === 'string' && token !== '' && !Number.isNaN(expiresAt.getTime()))
    return new Token(token, expiresAt);
  throw noToken(what, 'status.token and status.expirationTimestamp');
}

function noToken(what: string, fields: string): Mk8sError {
  return new Mk8sError(`${what}: the answer has no ${fields}`, { code: 'protocol' });
}

function resourceOf(subject: GoogleSubject | undefined): string {
  if (subject === undefined) {
    throw new Mk8sError(
      'A service has to be told whose token is wanted: name a Google service account by --as, or a Kubernetes one by --cluster, --namespace and --service-account',
      { code: 'config' },
    );
  }
  if ('email' in subject) return `//iam.googleapis.com/projects/-/serviceAccounts/${subject.email}`;
  return `//mk8s/${accountPath(subject).replace('/serviceaccounts/', '/serviceAccounts/')}`;
}

function accountPath({ cluster, namespace, name }: ServiceAccountName): string {
  return `clusters/${segment(cluster, '--cluster')}/namespaces/${segment(namespace, '--namespace')}/serviceaccounts/${segment(name, '--service-account')}`;
}

function segment(text: string | undefined, flag: string): string {
  if (text !== undefined && text !== '' && text !== '.' && text !== '..') return encodeURIComponent(text);
  throw new Mk8sError(`A service has to be told whose token is wanted: ${flag} is missing`, { code: 'config' });
}

function recordOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    // The parser's message quotes what may hold a token.
    return undefined;
  }
}

/** Node hides why a fetch failed in `cause`. */
function broken(what: string, error: unknown, tooLate: boolean): Mk8sError {
  if (error instanceof Mk8sError) return new Mk8sError(`${what}: ${error.message}`, { code: error.code, cause: error });
  const cause = (error instanceof Error ? error.cause : undefined) ?? error;
  const tls = /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL/.test((cause as NodeJS.ErrnoException).code ?? '');
  const why = tooLate ? `it did not answer within ${TIMEOUT_MS / 1000} s` : messageOf(cause);
  return new Mk8sError(`${what}: ${why}`, { code: tls ? 'tls' : 'unreachable', retryable: !tls, cause: error });
}

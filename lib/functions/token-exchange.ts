// OAuth 2.0 token exchange (RFC 8693): the caller's ID token in, an access or identity token out.
import { clusterOf } from './account-tokens.ts';
import { namesOf } from './find-cluster.ts';
import type { Mint, Minted } from './mint.ts';
import { Problem, type ProblemName } from './problems.ts';
import { type Input, type Route, route } from './route.ts';
import * as schemas from './schemas.ts';

const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';
const CLOUD_PLATFORM = 'https://www.googleapis.com/auth/cloud-platform';

export function exchangeToken(mint: Mint): Route {
  return route({
    id: 'exchangeToken',
    summary: 'The caller’s ID token for an access or identity token of another identity (RFC 8693)',
    method: 'POST',
    path: '/v1/token',
    caller: 'subject-token',
    rate: 'tokens',
    query: schemas.noQuery,
    body: schemas.exchangeSchema,
    form: true,
    gives: ['application/json'],
    status: 200,
    answers: schemas.exchangedSchema,
    answerName: 'ExchangedToken',
    problems: ['denied', 'cluster-not-found', 'ambiguous-cluster', 'upstream'],
    async handle({ body, ...input }) {
      const caller = await input.identify(body.subject_token);
      return await exchanged(mint, body, { ...input, caller });
    },
    explain: withOAuthError,
  });
}

interface Exchange {
  readonly requested_token_type: string;
  readonly resource: string;
  readonly scope?: string | undefined;
  readonly audience?: string | undefined;
}

type Around = Pick<Input<unknown, unknown, unknown>, 'caller' | 'request' | 'requestId' | 'services'>;

async function exchanged(mint: Mint, body: Exchange, around: Around): Promise<{ body: object }> {
  const target = targetOf(body.resource);
  const identity = body.requested_token_type === ID_TOKEN;
  if (identity && (body.audience === undefined || body.scope !== undefined)) {
    throw new Problem('invalid-request', { detail: 'An identity token needs an audience and has no scope' });
  }
  if (!identity && body.audience !== undefined) {
    throw new Problem('invalid-request', { detail: 'An access token has scopes and no audience' });
  }
  if (identity && 'cluster' in target) {
    throw new Problem('invalid-request', { detail: 'A federated identity has no identity tokens' });
  }
  const scopes = [...new Set((body.scope ?? CLOUD_PLATFORM).split(' ').filter((scope) => scope !== ''))].toSorted();
  const minted =
    'cluster' in target
      ? await federated(mint, target, scopes, around)
      : identity
        ? await identityToken(mint, target.account, body.audience ?? '', around)
        : await accessToken(mint, target.account, scopes, around);
  const left = minted.token.expiresAt.getTime() - around.services.clock.now();
  return {
    body: {
      access_token: minted.token.token,
      issued_token_type: body.requested_token_type,
      token_type: identity ? 'N_A' : 'Bearer',
      expires_in: Math.max(0, Math.floor(left / 1000)),
      ...(identity ? {} : { scope: scopes.join(' ') }),
    },
  };
}

type Target =
  | { readonly account: string }
  | { readonly cluster: string; readonly namespace: string; readonly serviceAccount: string };

const ACCOUNT =
  /^\/\/iam\.googleapis\.com\/projects\/-\/serviceAccounts\/([a-z0-9-]+@[a-z0-9.-]+\.gserviceaccount\.com)$/;
const FEDERATED =
  /^\/\/mk8s\/clusters\/([^/]+)\/namespaces\/([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\/serviceAccounts\/([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)$/;

function targetOf(resource: string): Target {
  const [, account] = ACCOUNT.exec(resource) ?? [];
  if (account !== undefined) return { account };
  const [, cluster, namespace, serviceAccount] = FEDERATED.exec(resource) ?? [];
  if (cluster !== undefined && namespace !== undefined && serviceAccount !== undefined) {
    try {
      return { cluster: decodeURIComponent(cluster), namespace, serviceAccount };
    } catch {
      // Not percent-encoding; refused below.
    }
  }
  throw new Problem('invalid-request', {
    detail:
      'resource must be //iam.googleapis.com/projects/-/serviceAccounts/EMAIL or //mk8s/clusters/CLUSTER/namespaces/NS/serviceAccounts/NAME',
  });
}

function accessToken(mint: Mint, account: string, scopes: readonly string[], around: Around): Promise<Minted> {
  return mint({
    ...common(around),
    ask: { what: 'access-tokens', serviceAccount: account, scopes },
    subject: account,
    scopes,
    issue: (granted, signal) =>
      around.services.minter.accessToken(account, { scopes, seconds: granted.seconds }, signal),
  });
}

function identityToken(mint: Mint, account: string, audience: string, around: Around): Promise<Minted> {
  return mint({
    ...common(around),
    ask: { what: 'identity-tokens', serviceAccount: account, audience },
    subject: account,
    audience,
    issue: (_, signal) => around.services.minter.identityToken(account, audience, signal),
  });
}

async function federated(
  mint: Mint,
  { cluster: wanted, namespace, serviceAccount }: Extract<Target, { cluster: string }>,
  scopes: readonly string[],
  around: Around,
): Promise<Minted> {
  const cluster = await clusterOf(wanted, around);
  return await mint({
    ...common(around),
    ask: { what: 'federated-tokens', cluster: namesOf(cluster), namespace, serviceAccount, scopes },
    subject: `${cluster.id}/${namespace}/${serviceAccount}`,
    scopes,
    issue: ({ rule }, signal) =>
      around.services.minter.federated(
        { cluster: cluster.id, namespace, serviceAccount },
        { pool: rule.pool ?? '', provider: rule.provider, scopes },
        signal,
      ),
  });
}

function common({ caller, requestId, request }: Around): Pick<Parameters<Mint>[0], 'caller' | 'requestId' | 'signal'> {
  return { caller, requestId, signal: request.signal };
}

/** RFC 8693, 2.2.2: who cannot or will not give a token for what is named by `resource` says so; the rest of RFC 6749, 5.2 is the request's. */
const TARGET: ReadonlySet<ProblemName> = new Set(['denied', 'cluster-not-found', 'ambiguous-cluster', 'upstream']);
/** No error of a token endpoint: whoever asks again later may be given it. */
const LATER: ReadonlySet<ProblemName> = new Set(['too-many-requests', 'unavailable']);

/** RFC 6749, 5.2, beside the members of a problem: OAuth clients look there. */
function withOAuthError(problem: Problem): Problem {
  if (LATER.has(problem.problem)) return problem;
  const error = TARGET.has(problem.problem) ? 'invalid_target' : 'invalid_request';
  const members = { error, error_description: problem.message };
  return new Problem(problem.problem, { ...problem.details, members });
}

// The client of the token service: what it sends, what it makes of answers, and that nothing of a token gets elsewhere.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tokenService } from '../../../lib/adapters/http/token-service.ts';
import type { Mk8sError } from '../../../lib/model/errors.ts';
import { Token } from '../../../lib/model/token.ts';
import type { TokenBroker } from '../../../lib/ports/token-broker.ts';
import type { TokenRequest } from '../../../lib/ports/token-source.ts';
import { jwtOf } from '../../support/fake-google.ts';
import { type FakeTokenService, problem, startFakeTokenService } from '../../support/fake-token-service.ts';
import { closedPort } from '../../support/loopback-server.ts';

const NOW = Date.UTC(2026, 0, 1);
const CALLER = jwtOf({ sub: 'alice' });
const MINTED = jwtOf({ sub: 'system:serviceaccount:shop:deployer' });
const UNTIL = '2026-01-01T00:15:00Z';
const status = { token: MINTED, expirationTimestamp: UNTIL };
const { signal } = new AbortController();

let service: FakeTokenService;
let asked: TokenRequest[];
beforeEach(async () => {
  asked = [];
  service = await startFakeTokenService(() => ({ status: 200, body: { status } }));
});
afterEach(() => service[Symbol.asyncDispose]());

function client(url = service.url): TokenBroker {
  return tokenService({
    url,
    audience: 'https://tokens.example',
    caller: {
      identity: 'alice',
      async get(request) {
        asked.push(request);
        return new Token(CALLER, new Date(NOW + 3_600_000));
      },
    },
    fetch,
    now: () => NOW,
  });
}

async function failure(work: Promise<unknown>): Promise<Mk8sError> {
  const error: unknown = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toMatchObject({ name: 'Mk8sError' });
  const { message } = error as Mk8sError;
  expect(message).not.toContain(CALLER);
  expect(message).not.toContain(MINTED);
  return error as Mk8sError;
}

describe('a credential', () => {
  test("is asked for with the caller's identity token, where IAM looks for it, too", async () => {
    const token = await client().credential({ cluster: '//x/prod eu' }, signal);
    expect([token.token, token.expiresAt.toISOString()]).toEqual([MINTED, '2026-01-01T00:15:00.000Z']);
    const [request] = service.requests;
    expect([request?.method, request?.target]).toEqual(['GET', '/v1/clusters/%2F%2Fx%2Fprod%20eu/credential']);
    expect(request?.headers['authorization']).toBe(`Bearer ${CALLER}`);
    expect(request?.headers['x-serverless-authorization']).toBe(`Bearer ${CALLER}`);
    expect(asked).toEqual([{ kind: 'identity', audience: 'https://tokens.example' }]);
  });

  test('may be that of a service account', async () => {
    await client().credential({ cluster: 'prod', serviceAccount: { namespace: 'shop', name: 'deployer' } }, signal);
    expect(service.requests[0]?.target).toBe('/v1/clusters/prod/credential?namespace=shop&serviceaccount=deployer');
  });

  test('of no cluster, or of a path, is not asked for', async () => {
    expect((await failure(client().credential({}, signal))).message).toContain('--cluster is missing');
    await failure(client().credential({ cluster: '..' }, signal));
    expect([service.requests, asked]).toEqual([[], []]);
  });
});

describe("a service account's token", () => {
  test('is asked for as Kubernetes has it', async () => {
    const request = { cluster: 'prod', namespace: 'shop', name: 'deployer', audience: 'vault', expirationSeconds: 900 };
    expect((await client().serviceAccountToken(request, signal)).token).toBe(MINTED);
    const [sent] = service.requests;
    expect([sent?.method, sent?.target]).toEqual([
      'POST',
      '/v1/clusters/prod/namespaces/shop/serviceaccounts/deployer/token',
    ]);
    expect(JSON.parse(sent?.body ?? '')).toEqual({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: ['vault'], expirationSeconds: 900 },
    });
  });

  test('needs a namespace', async () => {
    const error = await failure(client().serviceAccountToken({ cluster: 'prod', name: 'deployer' }, signal));
    expect([error.code, error.message]).toEqual(['config', expect.stringContaining('--namespace is missing')]);
  });
});

describe("Google's tokens", () => {
  test.each<[TokenRequest, Record<string, string>]>([
    [
      { kind: 'access', scopes: ['a', 'b'] },
      { requested_token_type: 'urn:ietf:params:oauth:token-type:access_token', scope: 'a b' },
    ],
    [
      { kind: 'identity', audience: 'https://a.example' },
      { requested_token_type: 'urn:ietf:params:oauth:token-type:id_token', audience: 'https://a.example' },
    ],
  ])("are an exchange of the caller's (RFC 8693): %j", async (request, expected) => {
    service.answer = () => ({ status: 200, body: { access_token: MINTED, token_type: 'N_A', expires_in: 899 } });
    const token = await client().googleToken(request, { email: 'r@p.iam.gserviceaccount.com' }, signal);
    expect([token.token, token.expiresAt.getTime()]).toEqual([MINTED, NOW + 899_000]);
    const [sent] = service.requests;
    expect([sent?.target, sent?.headers['content-type']]).toEqual(['/v1/token', 'application/x-www-form-urlencoded']);
    expect(Object.fromEntries(new URLSearchParams(sent?.body))).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: CALLER,
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      resource: '//iam.googleapis.com/projects/-/serviceAccounts/r@p.iam.gserviceaccount.com',
      ...expected,
    });
  });

  test('may be those of a Kubernetes service account, federated', async () => {
    service.answer = () => ({ status: 200, body: { access_token: MINTED, token_type: 'Bearer', expires_in: 899 } });
    await client().googleToken({ kind: 'access' }, { cluster: 'a/b', namespace: 'shop', name: 'deployer' }, signal);
    expect(new URLSearchParams(service.requests[0]?.body).get('resource')).toBe(
      '//mk8s/clusters/a%2Fb/namespaces/shop/serviceAccounts/deployer',
    );
  });

  test('of nobody in particular are not asked for', async () => {
    const error = await failure(client().googleToken({ kind: 'access' }, undefined, signal));
    expect([error.code, error.message]).toEqual(['config', expect.stringContaining('--as')]);
    expect(service.requests).toEqual([]);
  });
});

describe('promise 9: what goes wrong is said without a token', () => {
  test('a denial with its reason, its detail and the id of the request', async () => {
    service.answer = () => problem(403, 'denied', 'Denied', `no rule grants ${CALLER} that`);
    const error = await failure(client().credential({ cluster: 'prod' }, signal));
    expect(error).toMatchObject({ code: 'credentials', status: 403, reason: 'denied', retryable: false });
    expect(error.message).toBe(
      `Cannot get a credential for cluster "prod" from ${service.url} as alice: 403 denied Denied: no rule grants [token] that (request 0b7c8a52-8f5e-4f0e-9d58-0e9a1a1f0c11)`,
    );
  });

  test.each([
    [404, 'cluster-not-found', { code: 'http', retryable: false }],
    [401, 'unauthenticated', { code: 'credentials', retryable: false }],
    [502, 'upstream', { code: 'http', retryable: true }],
  ])('%i %s', async (code, name, expected) => {
    service.answer = () => problem(code, name, 'Title', 'detail');
    expect(await failure(client().credential({ cluster: 'prod' }, signal))).toMatchObject({
      status: code,
      ...expected,
    });
  });

  test('a service that is busy says when to come back', async () => {
    const busy = problem(429, 'too-many-requests', 'Too many requests', 'wait');
    service.answer = () => ({ ...busy, headers: { ...busy.headers, 'retry-after': '7' } });
    const error = await failure(client().credential({ cluster: 'prod' }, signal));
    expect(error).toMatchObject({ retryable: true, retryAfterMs: 7_000 });
  });

  test.each<[string, unknown]>([
    ['no JSON', `<html>${MINTED}</html>`],
    ['a list', [status]],
    ['no status', { token: MINTED }],
    ['an empty token', { status: { ...status, token: '' } }],
    ['no time', { status: { token: MINTED, expirationTimestamp: 'soon' } }],
  ])('an answer with %s', async (_, body) => {
    service.answer = () => ({ status: 200, body });
    await failure(client().credential({ cluster: 'prod' }, signal));
  });

  test('a redirect is not followed: the token is for this service', async () => {
    await using other = await startFakeTokenService(() => ({ status: 200, body: { status } }));
    service.answer = () => ({ status: 307, headers: { location: `${other.url}/v1/x` }, body: {} });
    await failure(client().credential({ cluster: 'prod' }, signal));
    expect(other.requests).toEqual([]);
  });

  test('an answer without end is cut off', async () => {
    service.answer = () => ({ status: 200, body: 'x'.repeat(300_000) });
    const error = await failure(client().credential({ cluster: 'prod' }, signal));
    expect([error.code, error.message]).toEqual(['protocol', expect.stringContaining('larger than')]);
  });

  test('a service that does not answer', async () => {
    const error = await failure(client(`http://127.0.0.1:${await closedPort()}`).credential({ cluster: 'p' }, signal));
    expect(error).toMatchObject({
      code: 'unreachable',
      retryable: true,
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });
});

// Whoever attacks the functions over real HTTP: forged tokens, tricks with paths, one step beyond every grant, requests that are no
// requests. It counts: what was tried, that nothing was minted that was not granted, that no log line and no answer holds a token that is
// not its caller's, and that the service still answers.
import { writeFileSync } from 'node:fs';
import { type Agent, Agent as HttpAgent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Serving, startServing } from '../../lib/compose/serve.ts';
import { loadConfig } from '../../lib/config/load.ts';
import type { AuditEntry } from '../../lib/functions/audit.ts';
import { type Fleet, startFleet } from '../../lib/sandbox/fleet.ts';
import {
  type FakeIssuer,
  issuerKey,
  part,
  signed,
  signedWithPublicKey,
  startFakeIssuer,
} from '../support/fake-issuer.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const AUDIENCE = 'https://tokens.example.com';
const CONCURRENT = 10_000;

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

interface Attack {
  readonly what: string;
  readonly method?: string;
  readonly path?: string;
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
  /** Default: the one that all share. */
  readonly to?: Serving;
  /** Default: connections that all share, so that a request waits for those before it. */
  readonly by?: Agent;
}

const MINT = '/v1/clusters/sandbox-a/namespaces/default/serviceaccounts/default/token';
const JSON_TYPE = { 'content-type': 'application/json' };
const tokenRequest = (spec: object = {}): string =>
  JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec });

describe('under attack', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let fleet: Fleet;
  let issuer: FakeIssuer;
  let stranger: FakeIssuer;
  let serving: Serving;
  /** Another one, with more flags. */
  let start: (more: Readonly<Record<string, string>>) => Promise<Serving>;
  let agent: Agent;
  const over = new AbortController();
  const lines: { audit?: AuditEntry }[] = [];
  const answers: string[] = [];
  let tried = 0;

  beforeAll(async () => {
    folder = await temporaryFolder();
    fleet = await startFleet({ clusters: 2, objects: 5, rate: 0 });
    issuer = await startFakeIssuer();
    stranger = await startFakeIssuer();
    const kubeconfig = join(folder.path, 'kubeconfig');
    const policy = join(folder.path, 'policy.yaml');
    writeFileSync(kubeconfig, fleet.kubeconfig());
    const alice = JSON.stringify([{ issuer: issuer.issuer, email: 'alice@example.com' }]);
    const account = 'pub@p-12345.iam.gserviceaccount.com';
    writeFileSync(
      policy,
      `version: 1
rules:
  - {name: read, grant: clusters, callers: ${alice}, clusters: [sandbox-a]}
  - {name: mint, grant: service-account-tokens, callers: ${alice}, clusters: [sandbox-a], namespaces: [default],
     serviceAccounts: [default], audiences: [api-server, 'https://vault.example.com'], maxLifetime: 10m}
  - {name: acc, grant: access-tokens, callers: ${alice}, serviceAccounts: [${account}], scopes: ['https://www.googleapis.com/auth/pubsub']}
`,
    );
    start = async (more) => {
      const { config } = await loadConfig({
        env: {},
        cwd: folder.path,
        command: 'serve',
        flags: {
          'serve.port': '0',
          'serve.audience': [AUDIENCE],
          'serve.issuers': [issuer.issuer],
          'serve.policy': policy,
          kubeconfig: [kubeconfig],
          source: ['kubeconfig'],
          data: join(folder.path, 'data'),
          ...more,
        },
      });
      const log = (line: object): void => void lines.push(line);
      return await startServing(config, { env: {}, signal: over.signal, report: log }, log);
    };
    serving = await start({});
    agent = new HttpAgent({ keepAlive: true, maxSockets: 64 });
  });
  afterAll(async () => {
    agent.destroy();
    await serving.stop();
    over.abort();
    await fleet.stop();
    await issuer[Symbol.asyncDispose]();
    await stranger[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  // Each is another caller to the rate limit, and the same person to the policy: what refuses an attack is not the limit.
  let subjects = 0;
  const good = () => issuer.token(AUDIENCE, { claims: { sub: `alice-${(subjects += 1)}` } });

  function send({
    method = 'POST',
    path = MINT,
    token,
    headers = JSON_TYPE,
    body = tokenRequest(),
    to = serving,
    by = agent,
  }: Attack): Promise<Answer> {
    const { hostname, port } = new URL(to.url);
    const bearer: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token ?? good()}` };
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        { hostname, port, method, path, agent: by, headers: { ...bearer, ...headers } },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }),
          );
        },
      );
      request.on('error', reject);
      request.end(method === 'GET' ? undefined : body);
    });
  }

  /** Refused, in the one shape, and with nothing minted. */
  async function refused(attack: Attack): Promise<void> {
    tried += 1;
    const before = minted();
    const answer = await send(attack).catch((error: NodeJS.ErrnoException) => error);
    expect(minted(), attack.what).toBe(before);
    // The server may close while a body is still being sent.
    if (answer instanceof Error) return expect(['ECONNRESET', 'EPIPE'], attack.what).toContain(answer.code);
    answers.push(answer.body);
    expect(answer.status, `${attack.what}: ${answer.body}`).toBeGreaterThanOrEqual(400);
    expect(answer.status, `${attack.what}: ${answer.body}`).toBeLessThan(500);
    expect(answer.status, `${attack.what}: ${answer.body}`).not.toBe(429);
    expect(answer.headers['content-type'], attack.what).toBe('application/problem+json');
    expect(JSON.parse(answer.body), attack.what).toMatchObject({
      type: expect.stringMatching(/^https:\/\/mk8s\.dev\/problems\//) as string,
    });
    expect(answer.body, attack.what).not.toMatch(/ at .*\.(ts|js):\d|node:internal|\/tmp\//);
  }

  const minted = (): number => lines.filter(({ audit }) => audit?.decision === 'minted').length;

  /** What is granted, still works. */
  async function stillAnswers(): Promise<void> {
    const before = minted();
    const { status, body } = await send({ what: 'what is granted' });
    expect([status, body.slice(0, 200)]).toEqual([201, body.slice(0, 200)]);
    expect(minted()).toBe(before + 1);
  }

  test('what is granted is minted, and the cluster takes it', async () => {
    await stillAnswers();
    const { body } = await send({ what: 'credential', method: 'GET', path: '/v1/clusters/sandbox-a/credential' });
    const { status } = JSON.parse(body) as { status: { token: string } };
    const claims = JSON.parse(Buffer.from(status.token.split('.')[1] ?? '', 'base64url').toString()) as Record<
      string,
      number
    >;
    expect(claims['sub']).toBe('system:serviceaccount:default:default');
    expect((claims['exp'] ?? 0) - (claims['iat'] ?? 0)).toBe(600);
  });

  test('no forged, stale, foreign or mangled token opens anything', async () => {
    const key = issuer.key();
    const known = good();
    const claims = known.split('.')[1] ?? '';
    const head = (over: object): string => part({ alg: 'RS256', kid: key.kid, typ: 'JWT', ...over });
    const now = Date.now() / 1000;
    const token = (claimed: object, header = {}): string => issuer.token(AUDIENCE, { claims: { ...claimed }, header });
    const attacks: [string, string | null][] = [
      ['no token', null],
      ['an empty token', ''],
      ['a word', 'token'],
      ['three dots', '...'],
      ['expired', issuer.token(AUDIENCE, { now: now - 7_200 })],
      ['not yet valid', token({ nbf: now + 600 })],
      ['issued in the future', issuer.token(AUDIENCE, { now: now + 600 })],
      ['another audience', issuer.token('https://other.example.com')],
      ['our audience with a slash', issuer.token(`${AUDIENCE}/`)],
      ['our audience in capitals', issuer.token(AUDIENCE.toUpperCase())],
      ['two audiences', token({ aud: [AUDIENCE, 'x'] })],
      ['no audience', issuer.token(AUDIENCE, { without: ['aud'] })],
      ['another issuer', stranger.token(AUDIENCE)],
      ['another issuer that calls itself ours', stranger.token(AUDIENCE, { claims: { iss: issuer.issuer } })],
      ['the issuer with a slash', token({ iss: `${issuer.issuer}/` })],
      ['alg none without a signature', `${head({ alg: 'none' })}.${claims}.`],
      ['alg none with the old signature', `${head({ alg: 'none' })}.${claims}.${known.split('.')[2] ?? ''}`],
      ['alg None', token({}, { alg: 'None' })],
      ['HS256 with the public key', signedWithPublicKey(`${head({ alg: 'HS256' })}.${claims}`, key)],
      ['HS256 with the public key as RS256', signedWithPublicKey(`${head({})}.${claims}`, key)],
      ['ES256 with an RSA key', token({}, { alg: 'ES256' })],
      ['a key of its own in the header', signedWithOwnKey(claims)],
      ['a key id with a path', token({}, { kid: '../../../../dev/null' })],
      ['a key id that is no text', token({}, { kid: 0 })],
      ['a key to be fetched from elsewhere', token({}, { jku: `${stranger.issuer}/keys`, kid: 'elsewhere' })],
      [
        'a stranger’s signature under a known key id',
        issuer.token(AUDIENCE, { key: { ...issuerKey(), kid: key.kid } }),
      ],
      [
        'changed claims',
        `${known.split('.')[0] ?? ''}.${part({ iss: issuer.issuer, aud: AUDIENCE, sub: 'x', exp: now + 99, iat: now })}.${known.split('.')[2] ?? ''}`,
      ],
      [
        'a claim twice',
        signed(`${head({})}.${part(`{"aud":"${AUDIENCE}","aud":"${AUDIENCE}","iss":"${issuer.issuer}"}`)}`, key),
      ],
      ['a cut signature', known.slice(0, -6)],
      ['an oversized token', token({ filler: 'y'.repeat(12_000) })],
      ['an unverified address', token({ email_verified: false })],
      ['another person', token({ email: 'bob@example.com', sub: 'bob' })],
      ['an address of look-alikes', token({ email: 'аlice@example.com' })],
      ['an address with more behind it', token({ email: 'alice@example.com.evil.example' })],
      ['no address', issuer.token(AUDIENCE, { without: ['email'] })],
      ['a signature that Google removed', known.replace(/[^.]+$/, 'SIGNATURE_REMOVED_BY_GOOGLE')],
    ];
    for (const [what, forged] of attacks) await refused({ what, token: forged });
    await refused({
      what: 'two tokens in one line',
      headers: { ...JSON_TYPE, authorization: `Bearer ${good()}, Bearer ${good()}` },
      token: null,
    });
    await refused({ what: 'another scheme', headers: { ...JSON_TYPE, authorization: `Basic ${good()}` }, token: null });
    await refused({ what: 'a token in the query', path: `${MINT}?access_token=${good()}`, token: null });
    await refused({
      what: 'only in the header of IAM',
      headers: { ...JSON_TYPE, 'x-serverless-authorization': `Bearer ${good()}` },
      token: null,
    });
    // Node's client folds two lines into one; a socket does not.
    tried += 1;
    const raw = await rawRequest(
      `POST ${MINT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${good()}\r\nauthorization: Bearer ${good()}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`,
    );
    expect(raw).toMatch(/^HTTP\/1.1 40[01] /);
    await stillAnswers();
  });

  function signedWithOwnKey(claims: string): string {
    const key = issuerKey();
    const jwk = key.publicKey.export({ format: 'jwk' });
    return signed(`${part({ alg: 'RS256', kid: key.kid, jwk })}.${claims}`, key);
  }

  test('no trick with a path or a name leads to another cluster or account', async () => {
    const account = 'namespaces/default/serviceaccounts/default/token';
    const id = fleet.clusters[1]?.uid ?? '';
    const clusters = [
      'sandbox-b',
      id,
      'sandbox-z',
      'SANDBOX-A',
      'sandbox-a%20',
      '%20sandbox-a',
      'sandbox-a%00',
      'sandbox-a%2f..%2fsandbox-b',
      'sandbox-b%2f..%2fsandbox-a',
      '..',
      '%2e%2e',
      '..%2f..%2fapi',
      'ѕandbox-a',
      encodeURIComponent('ѕandbox-a'),
      encodeURIComponent('sandbox‑a'),
      encodeURIComponent('sandbox-a\u200b'),
      encodeURIComponent('ｓandbox-a'),
      '*',
      '%2a',
      'sandbox-%2a',
      'a'.repeat(600),
      '%',
      '%zz',
      '%c0%ae',
      '',
      'https:%2f%2f169.254.169.254',
      '169.254.169.254',
      'localhost',
      '127.0.0.1:22',
      'sandbox-a%0d%0ahost:%20evil',
      'sandbox-a;x',
      'sandbox-a%3fx',
    ];
    for (const cluster of clusters) {
      // What Node's client itself refuses to send goes as bytes.
      const path = `/v1/clusters/${cluster}/${account}`;
      if (/^[\x21-\x7e]*$/.test(path)) await refused({ what: `cluster ${cluster}`, path });
    }
    const accounts = [
      'namespaces/default/serviceaccounts/admin/token',
      'namespaces/kube-system/serviceaccounts/default/token',
      'namespaces/default%2f..%2fkube-system/serviceaccounts/default/token',
      'namespaces/default/serviceaccounts/default%2ftoken%3f/token',
      'namespaces/DEFAULT/serviceaccounts/default/token',
      'namespaces/default/serviceaccounts/default%00/token',
      'namespaces/%2a/serviceaccounts/default/token',
      `namespaces/${'n'.repeat(64)}/serviceaccounts/default/token`,
      'namespaces/default/serviceaccounts/default/token/',
      'namespaces/default/secrets/default/token',
      'namespaces/default/serviceaccounts/default',
      'namespaces//serviceaccounts/default/token',
      'namespaces/default/serviceaccounts/../../kube-system/token',
    ];
    for (const each of accounts) await refused({ what: each, path: `/v1/clusters/sandbox-a/${each}` });
    for (const path of [
      '//v1/clusters',
      '/v1//clusters',
      '/V1/clusters',
      '/v1/clusters/',
      '/v1/../v1/clusters',
      'http://evil.example/v1/clusters',
      '*',
      '/v1/clusters#x',
      `/${'p'.repeat(9_000)}`,
    ]) {
      await refused({ what: `path ${path.slice(0, 40)}`, method: 'GET', path });
    }
    await stillAnswers();
  });

  test('nothing one step beyond a grant is given, and a longer life is cut', async () => {
    const beyond = [
      { audiences: ['https://vault.example.com.evil.example'] },
      { audiences: ['https://vault.example.co'] },
      { audiences: ['*'] },
      { audiences: [''] },
      { audiences: ['api-server'] },
      { audiences: ['https://vault.example.com', 'https://other.example.com'] },
      { audiences: 'https://vault.example.com' },
      { audiences: ['https://kubernetes.default.svc'] },
      { expirationSeconds: 599 },
      { expirationSeconds: 1e9 },
      { expirationSeconds: -1 },
      { expirationSeconds: '600' },
      { expirationSeconds: 600.5 },
      { boundObjectRef: { kind: 'Pod', name: 'x' } },
      { unknown: true },
    ];
    for (const spec of beyond) await refused({ what: JSON.stringify(spec), body: tokenRequest(spec) });
    const before = minted();
    const { body } = await send({ what: 'a longer life', body: tokenRequest({ expirationSeconds: 86_400 }) });
    const { status } = JSON.parse(body) as { status: { expirationTimestamp: string } };
    expect(Date.parse(status.expirationTimestamp) - Date.now()).toBeLessThanOrEqual(601_000);
    expect(minted()).toBe(before + 1);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const exchange = (over: Record<string, string>): string =>
      new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: good(),
        subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
        resource: '//iam.googleapis.com/projects/-/serviceAccounts/pub@p-12345.iam.gserviceaccount.com',
        scope: 'https://www.googleapis.com/auth/pubsub',
        ...over,
      }).toString();
    const exchanges: Record<string, string>[] = [
      { scope: 'https://www.googleapis.com/auth/cloud-platform' },
      { scope: 'https://www.googleapis.com/auth/pubsub https://www.googleapis.com/auth/cloud-platform' },
      { scope: '' },
      { resource: '//iam.googleapis.com/projects/-/serviceAccounts/admin@p-12345.iam.gserviceaccount.com' },
      { resource: '//iam.googleapis.com/projects/-/serviceAccounts/pub@p-12345.iam.gserviceaccount.com/../admin' },
      { resource: 'https://169.254.169.254/computeMetadata/v1' },
      { resource: '//mk8s/clusters/sandbox-a/namespaces/default/serviceAccounts/default' },
      { subject_token: 'x.y.z' },
      { subject_token: stranger.token(AUDIENCE) },
      { subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' },
      { grant_type: 'password' },
      { actor_token: good() },
    ];
    for (const each of exchanges)
      await refused({
        what: JSON.stringify(each).slice(0, 60),
        path: '/v1/token',
        headers: form,
        token: null,
        body: exchange(each),
      });
    await refused({
      what: 'subject_token twice',
      path: '/v1/token',
      headers: form,
      token: null,
      body: `${exchange({})}&subject_token=${good()}`,
    });
    await refused({ what: 'refresh', method: 'GET', path: '/v1/clusters?refresh=true' });
    await stillAnswers();
  });

  test('no body, header or method that is not as it must be is taken', async () => {
    const valid = tokenRequest();
    const bodies: [string, string | Buffer, Record<string, string>?][] = [
      ['no JSON', '{bad'],
      ['empty', ''],
      ['an array', '[]'],
      ['null', 'null'],
      ['a key twice', valid.replace('{', '{"kind":"Other",')],
      ['a key twice, escaped', valid.replace('{', '{"k\\u0069nd":"TokenRequest",')],
      ['__proto__', valid.replace('{', '{"__proto__":{"spec":{}},')],
      ['deep', '['.repeat(10_000) + ']'.repeat(10_000)],
      ['no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
      ['a BOM', `\ufeff${valid}`],
      ['too large', `{"x":"${'x'.repeat(70_000)}"}`],
      ['much too large', Buffer.alloc(5_000_000, 0x20)],
      ['another type', valid, { 'content-type': 'text/plain' }],
      ['no type', valid, {}],
      ['another charset', valid, { 'content-type': 'application/json; charset=utf-16' }],
      ['encoded', valid, { ...JSON_TYPE, 'content-encoding': 'gzip' }],
      ['another kind', valid.replace('TokenRequest', 'TokenReview')],
    ];
    for (const [what, body, headers = JSON_TYPE] of bodies) await refused({ what, body, headers });
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) await refused({ what: method, method });
    await refused({ what: 'a query that is not known', path: `${MINT}?dryRun=All` });
    await refused({ what: 'a query twice', method: 'GET', path: '/v1/clusters?limit=1&limit=2' });
    await refused({ what: 'a body of a GET', method: 'DELETE', path: '/v1/clusters' });
    const malformed = [
      'GET /v1/clusters HTTP/1.1\r\n\r\n',
      'nonsense\r\n\r\n',
      `GET /v1/clusters HTTP/1.1\r\nhost: x\r\nx: ${'h'.repeat(40_000)}\r\n\r\n`,
      'POST /v1/token HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      'GET /v1/clusters HTTP/1.1\r\nhost: x\r\nx-a: b\r\n c: d\r\n\r\n',
      'GET /v1/clusters HTTP/1.1\r\nhost: x\r\nx\x00y: 1\r\n\r\n',
      'POST /v1/token HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n',
    ];
    for (const text of malformed) {
      tried += 1;
      const answer = await rawRequest(text);
      answers.push(answer);
      expect(answer, text.slice(0, 60)).toMatch(/^(HTTP\/1\.1 4\d\d |$)/);
    }
    await stillAnswers();
  });

  /** Sends bytes, and gives what comes back until the server ends the connection, which an answer to a bad request does. */
  function rawRequest(text: string): Promise<string> {
    const { hostname, port } = new URL(serving.url);
    return new Promise((resolve) => {
      let answer = '';
      const socket = connect(Number(port), hostname, () => socket.write(text));
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        answer += chunk;
        if (/\r\n\r\n\{.*\}\n/s.test(answer)) socket.destroy();
      });
      socket.on('error', () => undefined).on('close', () => resolve(answer));
    });
  }

  test('slow senders are cut off, while others are answered', async () => {
    const slow = Array.from({ length: 50 }, (_, index) =>
      rawRequest(
        index % 2 === 0
          ? 'GET /v1/clusters HTTP/1.1\r\nhost: x\r\nx-slow: '
          : `POST ${MINT} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{`,
      ),
    );
    tried += slow.length;
    await stillAnswers();
    for (const answer of await Promise.all(slow)) expect(answer).toMatch(/^(HTTP\/1\.1 408 |$)/);
    await stillAnswers();
  }, 60_000);

  test(`${CONCURRENT} requests at once are answered or told to come again, and the service goes on`, async () => {
    const foreign = issuerKey();
    const crowd = new HttpAgent({ keepAlive: true, maxSockets: 4_000 });
    const key = issuer.key();
    const tokens = Array.from({ length: 200 }, (_, n) =>
      issuer.token(AUDIENCE, {
        claims: { sub: `caller-${n}`, email: `caller-${n}@example.com` },
        key: n % 2 === 0 ? key : foreign,
      }),
    );
    const { hostname, port } = new URL(serving.url);
    const counts = new Map<number, number>();
    await Promise.all(
      Array.from(
        { length: CONCURRENT },
        (_, n) =>
          new Promise<void>((resolve, reject) => {
            const headers = { authorization: `Bearer ${tokens[n % tokens.length] ?? ''}`, ...JSON_TYPE };
            const request = httpRequest(
              { hostname, port, path: MINT, method: 'POST', agent: crowd, headers },
              (response) => {
                const status = response.statusCode ?? 0;
                counts.set(status, (counts.get(status) ?? 0) + 1);
                response.resume().on('end', resolve).on('error', reject);
              },
            );
            request.on('error', reject).end(tokenRequest());
          }),
      ),
    );
    crowd.destroy();
    tried += CONCURRENT;
    expect([...counts.values()].reduce((sum, each) => sum + each, 0)).toBe(CONCURRENT);
    expect([...counts.keys()].filter((status) => ![401, 404, 429, 503].includes(status))).toEqual([]);
    await stillAnswers();
  }, 120_000);

  test('one caller that asks too often is told to wait, and nobody else', async () => {
    const greedy = issuer.token(AUDIENCE, { claims: { sub: 'greedy', email: 'greedy@example.com' } });
    const all = await Promise.all(
      Array.from({ length: 100 }, () => send({ what: 'list', method: 'GET', path: '/v1/clusters', token: greedy })),
    );
    const waiting = all.filter(({ status }) => status === 429);
    expect(waiting.length).toBeGreaterThan(0);
    for (const { headers } of waiting) expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    await stillAnswers();
  });

  /** Sends so many without a token that holds, each of another kind and under another address that it claims to come from. */
  function flood(count: number, to: Serving, forwarded: (n: number) => string): Promise<readonly Answer[]> {
    const key = issuer.key();
    const forged = issuer.token(AUDIENCE, { key: { ...issuerKey(), kid: key.kid } });
    const tokens = [null, 'a.b.c', forged, issuer.token('https://other.example.com'), stranger.token(AUDIENCE)];
    tried += count;
    return Promise.all(
      Array.from({ length: count }, (_, n) =>
        send({
          what: 'flood',
          to,
          token: tokens[n % tokens.length] ?? null,
          headers: { ...JSON_TYPE, 'x-forwarded-for': forwarded(n) },
        }),
      ),
    );
  }
  const unlogged = (from: number): readonly AuditEntry[] =>
    lines.slice(from).flatMap(({ audit }) => (audit?.what === 'authentication' ? [audit] : []));

  test('a flood without a token that holds is told to wait; who has one and shares its address is answered all the while', async () => {
    const fresh = await start({});
    const own = new HttpAgent({ keepAlive: true });
    try {
      const from = lines.length;
      const before = minted();
      const going = new Set(['flood']);
      const flooding = flood(2_000, fresh, (n) => `10.0.${n >> 8}.${n & 255}`).finally(() => going.clear());
      const known: number[] = [];
      while (going.size > 0) known.push((await send({ what: 'known', to: fresh, by: own })).status);
      for (let n = 0; n < 20; n += 1) known.push((await send({ what: 'known', to: fresh, by: own })).status);
      expect(new Set(known)).toEqual(new Set([201]));
      expect(known.length).toBeGreaterThan(20);
      const answered = await flooding;
      const waiting = answered.filter(({ status }) => status === 429);
      const refusals = answered.filter(({ status }) => status === 401);
      expect(waiting.length + refusals.length).toBe(2_000);
      expect(waiting.length).toBeGreaterThan(0);
      for (const { headers, body } of waiting) {
        expect(Number(headers['retry-after'])).toBeGreaterThan(0);
        expect(headers['content-type']).toBe('application/problem+json');
        expect(JSON.parse(body)).toMatchObject({ type: 'https://mk8s.dev/problems/too-many-requests', status: 429 });
      }
      // The address that counts is the connection's: what the flood claims of itself changes nothing.
      const said = unlogged(from);
      expect(said.filter(({ peer }) => peer === undefined)).toHaveLength(refusals.length);
      expect(new Set(said.flatMap(({ peer }) => peer ?? []))).toEqual(new Set(['127.0.0.1']));
      expect(minted() - before).toBe(known.length);
      answers.push(...answered.map(({ body }) => body));
    } finally {
      own.destroy();
      await fresh.stop();
    }
  }, 60_000);

  test('behind a proxy a flood is that of the address which the proxy saw, whatever stands before it', async () => {
    const behind = await start({ 'serve.proxies': '1' });
    try {
      const from = lines.length;
      const answered = await flood(1_500, behind, (n) => `10.1.${n >> 8}.${n & 255}, 198.51.100.7`);
      expect(answered.filter(({ status }) => status === 429).length).toBeGreaterThan(0);
      expect(new Set(unlogged(from).flatMap(({ peer }) => peer ?? []))).toEqual(new Set(['198.51.100.7']));
      const others = ['198.51.100.7, 198.51.100.8', 'nonsense', '198.51.100.7, '];
      for (const address of others) {
        const headers = { ...JSON_TYPE, 'x-forwarded-for': address };
        expect((await send({ what: address, to: behind, token: null, headers })).status, address).toBe(401);
      }
    } finally {
      await behind.stop();
    }
  }, 60_000);

  test('promise 9: no log line has a token of anyone, and no refusal has one either', () => {
    const all = [...lines.map((line) => JSON.stringify(line)), ...answers].join('\n');
    const secrets = [...issuer.issued, ...stranger.issued].map((token) => token.split('.')[2] ?? '');
    const held = fleet.clusters.map(({ token }) => token);
    expect(secrets.length).toBeGreaterThan(100);
    for (const secret of [...secrets, ...held]) expect(secret !== '' && all.includes(secret)).toBe(false);
    // Any JWT would begin so.
    expect(all).not.toMatch(/eyJ[A-Za-z0-9_-]{20,}/);
    expect(tried).toBeGreaterThan(CONCURRENT + 200);
    const denied = lines.filter(({ audit }) => audit?.decision === 'denied').length;
    expect(denied).toBeGreaterThan(100);
    process.stderr.write(
      `abuse: ${tried} tried, ${minted()} minted (all granted), ${denied} denials in the audit log\n`,
    );
  });
});

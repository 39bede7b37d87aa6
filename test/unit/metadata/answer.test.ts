// The metadata protocol, request by request: what Google's servers answer, and what they refuse.
import { describe, expect, test } from 'vitest';
import { answerOf, type MetadataAnswer } from '../../../lib/metadata/answer.ts';
import type { MetadataSource } from '../../../lib/metadata/metadata-source.ts';
import { metadataTree } from '../../../lib/metadata/tree.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { Token } from '../../../lib/model/token.ts';
import type { TokenRequest } from '../../../lib/ports/token-source.ts';

const NOW = Date.UTC(2026, 0, 1);
const SECRET = 'ya29.secret-token';
const email = 'runner@shop-prod.iam.gserviceaccount.com';
const v1 = '/computeMetadata/v1';

interface World extends Partial<MetadataSource> {
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly asked?: TokenRequest[];
  readonly fails?: Error;
}

async function ask(path: string, world: World = {}): Promise<MetadataAnswer> {
  const { headers = {}, method = 'GET', asked = [], fails, ...rest } = world;
  const source: MetadataSource = {
    tokens: {
      identity: 'the test',
      async get(request) {
        asked.push(request);
        if (fails !== undefined) throw fails;
        return new Token(request.kind === 'access' ? SECRET : `jwt for ${request.audience}`, new Date(NOW + 3_599_500));
      },
    },
    email,
    scopes: ['https://www.googleapis.com/auth/cloud-platform', 'https://www.googleapis.com/auth/userinfo.email'],
    projectId: () => Promise.resolve('shop-prod'),
    projectNumber: () => Promise.resolve('123456789012'),
    location: 'europe-west1-b',
    clusterName: 'web',
    ...rest,
  };
  return await answerOf(
    { method, target: path, headers: { host: '127.0.0.1:15021', 'metadata-flavor': 'Google', ...headers } },
    { root: metadataTree(source), tokens: source.tokens, now: () => NOW, signal: AbortSignal.timeout(10_000) },
  );
}

describe('values', () => {
  test.each([
    ['project/project-id', 'shop-prod'],
    ['project/numeric-project-id', '123456789012'],
    ['instance/zone', 'projects/123456789012/zones/europe-west1-b'],
    ['instance/region', 'projects/123456789012/regions/europe-west1'],
    ['instance/attributes/cluster-name', 'web'],
    ['instance/attributes/cluster-location', 'europe-west1-b'],
    ['instance/service-accounts/default/email', email],
    [`instance/service-accounts/${email}/email`, email],
    [`instance/service-accounts/${encodeURIComponent(email)}/aliases`, 'default\n'],
    [
      'instance/service-accounts/default/scopes',
      'https://www.googleapis.com/auth/cloud-platform\nhttps://www.googleapis.com/auth/userinfo.email\n',
    ],
    ['universe/universe-domain', 'googleapis.com'],
  ])('%s is text', async (path, body) => {
    expect(await ask(`${v1}/${path}`)).toEqual({
      status: 200,
      headers: { 'content-type': 'application/text' },
      body,
    });
  });

  test('are JSON where that is asked for', async () => {
    const bodies = await Promise.all(
      ['project/project-id', 'project/numeric-project-id', 'instance/service-accounts/default/aliases'].map(
        async (path) => await ask(`${v1}/${path}?alt=json`),
      ),
    );
    expect(bodies.map(({ body }) => body)).toEqual(['"shop-prod"', '123456789012', '["default"]']);
    expect(bodies[0]?.headers['content-type']).toBe('application/json');
  });

  test('that are not known are not found: a zone in a region, a name of no cluster', async () => {
    const nowhere: World = { location: 'europe-west1', clusterName: undefined };
    expect((await ask(`${v1}/instance/zone`, nowhere)).status).toBe(404);
    expect((await ask(`${v1}/instance/attributes/cluster-name`, nowhere)).status).toBe(404);
    expect((await ask(`${v1}/instance/region`, nowhere)).body).toBe('projects/123456789012/regions/europe-west1');
    expect((await ask(`${v1}/project/project-id`, { projectId: () => Promise.resolve(undefined) })).status).toBe(404);
  });

  test('a place has the project id where its number may not be read, and the number says why', async () => {
    const refused = new Mk8sError('Cannot read the number of project shop-prod: 403', { code: 'http', status: 403 });
    const world: World = { projectNumber: () => Promise.reject(refused) };
    expect((await ask(`${v1}/instance/zone`, world)).body).toBe('projects/shop-prod/zones/europe-west1-b');
    const number = await ask(`${v1}/project/numeric-project-id`, world);
    expect([number.status, number.note]).toEqual([403, refused.message]);
    expect(number.body).toContain('Cannot read the number');
    expect((await ask(`${v1}/project/?recursive=true`, world)).body).toBe('{"attributes":{},"projectId":"shop-prod"}');
  });
});

describe('directories', () => {
  test('are lists of names, as text and as JSON', async () => {
    expect((await ask('/')).body).toBe('computeMetadata/\n');
    expect((await ask(`${v1}/`)).body).toBe('instance/\nproject/\nuniverse/\n');
    expect((await ask(`${v1}/instance/service-accounts/`)).body).toBe(`default/\n${email}/\n`);
    expect((await ask(`${v1}/instance/service-accounts/default/?alt=json`)).body).toBe(
      '["aliases","email","identity","scopes","token"]',
    );
  });

  test('without a slash lead to themselves with one, and nowhere else', async () => {
    const moved = await ask(`${v1}/instance?recursive=true`);
    expect([moved.status, moved.headers['location']]).toEqual([301, `${v1}/instance/?recursive=true`]);
    expect((await ask('//computeMetadata')).headers['location']).toBe('/computeMetadata/');
  });

  test('are read recursively as JSON in camel case, but for the keys of users, and without tokens', async () => {
    const asked: TokenRequest[] = [];
    const { body } = await ask(`${v1}/?recursive=true`, { asked });
    const account = {
      aliases: ['default'],
      email,
      scopes: ['https://www.googleapis.com/auth/cloud-platform', 'https://www.googleapis.com/auth/userinfo.email'],
    };
    expect(JSON.parse(body)).toEqual({
      instance: {
        attributes: { 'cluster-location': 'europe-west1-b', 'cluster-name': 'web' },
        region: 'projects/123456789012/regions/europe-west1',
        serviceAccounts: { default: account, [email]: account },
        zone: 'projects/123456789012/zones/europe-west1-b',
      },
      project: { attributes: {}, numericProjectId: 123456789012, projectId: 'shop-prod' },
      universe: { universeDomain: 'googleapis.com' },
    });
    expect(asked).toEqual([]);
  });

  test('are read recursively as lines of path and value', async () => {
    expect((await ask(`${v1}/instance/service-accounts/default/?recursive=true&alt=text`)).body).toBe(
      `aliases default\nemail ${email}\nscopes https://www.googleapis.com/auth/cloud-platform\nscopes https://www.googleapis.com/auth/userinfo.email\n`,
    );
  });
});

describe('tokens', () => {
  test('access tokens come with the seconds that they have left, for the scopes that are asked for', async () => {
    const asked: TokenRequest[] = [];
    const answer = await ask(`${v1}/instance/service-accounts/default/token`, { asked });
    expect(JSON.parse(answer.body)).toEqual({ access_token: SECRET, expires_in: 3599, token_type: 'Bearer' });
    expect(answer.headers).toEqual({ 'content-type': 'application/json', 'cache-control': 'no-store' });
    await ask(`${v1}/instance/service-accounts/${email}/token?scopes=a,b`, { asked });
    expect(asked).toEqual([{ kind: 'access' }, { kind: 'access', scopes: ['a', 'b'] }]);
  });

  test('identity tokens are for the audience that is asked for, whatever the format', async () => {
    const answer = await ask(
      `${v1}/instance/service-accounts/default/identity?audience=https%3A%2F%2Fa.example&format=full&licenses=TRUE`,
    );
    expect(answer.body).toBe('jwt for https://a.example');
    const without = await ask(`${v1}/instance/service-accounts/default/identity`);
    expect(without.status).toBe(400);
    expect(without.body).toContain('non-empty audience parameter required');
  });

  test('promise 9: what is said of one to the operator is who may use it and until when', async () => {
    const access = await ask(`${v1}/instance/service-accounts/default/token`);
    expect(access.note).toBe('Gave an access token; it ends at 2026-01-01T00:59:59.500Z.');
    const identity = await ask(`${v1}/instance/service-accounts/default/identity?audience=b`);
    expect(identity.note).toBe('Gave an identity token for b; it ends at 2026-01-01T00:59:59.500Z.');
  });

  test('that cannot be had are worth asking for again where the issuer is busy, and refused where it is not', async () => {
    const busy = new Mk8sError('Cannot get it: 503', { code: 'credentials', retryable: true, retryAfterMs: 1_500 });
    const later = await ask(`${v1}/instance/service-accounts/default/token`, { fails: busy });
    expect([later.status, later.headers['retry-after']]).toEqual([503, '2']);
    const no = new Mk8sError('Cannot get it as <nobody>: 403', { code: 'credentials' });
    const never = await ask(`${v1}/instance/service-accounts/default/token`, { fails: no });
    expect(never.status).toBe(403);
    expect(never.body).toContain('Cannot get it as &lt;nobody&gt;: 403');
  });

  test('promise 9: a bug shows nothing of what went wrong to who asked', async () => {
    const bug = await ask(`${v1}/instance/service-accounts/default/token`, { fails: new TypeError(`at ${SECRET}`) });
    expect([bug.status, bug.body.includes(SECRET)]).toEqual([500, false]);
  });

  test('scopes without end are refused', async () => {
    const scopes = Array.from({ length: 101 }, (_, index) => `s${index}`).join(',');
    expect((await ask(`${v1}/instance/service-accounts/default/token?scopes=${scopes}`)).status).toBe(400);
    expect((await ask(`${v1}/instance/service-accounts/default/token?scopes=${'s'.repeat(301)}`)).status).toBe(400);
    const audience = 'a'.repeat(2_001);
    expect((await ask(`${v1}/instance/service-accounts/default/identity?audience=${audience}`)).status).toBe(400);
  });
});

describe('what is not there', () => {
  test.each([
    '/nothing',
    '/computeMetadata/v1beta1/instance/',
    `${v1}/instance/service-accounts/other@p.iam.gserviceaccount.com/token`,
    `${v1}/instance/service-accounts/default/token/`,
    `${v1}/instance/service-accounts/default/token/more`,
    `${v1}/instance/__proto__/constructor`,
    `${v1}/instance/../../../etc/passwd`,
    `${v1}/instance%2Fzone`,
  ])('%s is 404, in the shape of the real one', async (path) => {
    const { status, headers, body } = await ask(path);
    expect([status, headers['content-type']]).toEqual([404, 'text/html; charset=UTF-8']);
    expect(body).toMatch(/<title>Error 404 \(Not Found\)!!1<\/title>/);
    expect(body).toMatch(/The requested URL <code>\/.*<\/code> was not found on this server\./);
  });

  test('a path comes back escaped', async () => {
    expect((await ask('/<script>')).body).not.toContain('<script>');
  });

  test.each([
    [`${v1}/instance/zone?wait_for_change=true`, 'wait_for_change'],
    [`${v1}/instance/zone?alt=xml`, 'alt must be'],
    ['/%zz', 'malformed'],
    ['http://evil.example/', 'malformed'],
  ])('%s is 400 and says why', async (path, why) => {
    const { status, body } = await ask(path);
    expect([status, body]).toEqual([400, expect.stringContaining(why)]);
  });
});

describe('who may not ask', () => {
  const token = `${v1}/instance/service-accounts/default/token`;
  test.each<[string, World, number]>([
    ['without Metadata-Flavor', { headers: { 'metadata-flavor': '' } }, 403],
    ['with another flavor', { headers: { 'metadata-flavor': 'google' } }, 403],
    ['through a proxy', { headers: { 'x-forwarded-for': '10.0.0.1' } }, 403],
    ['through a proxy that says so in the standard way', { headers: { forwarded: 'for=10.0.0.1' } }, 403],
    ['by a name of its own, as after DNS rebinding', { headers: { host: 'evil.example:15021' } }, 403],
    ['by a name that begins like an address', { headers: { host: '127.0.0.1.evil.example' } }, 403],
    ['by a name that ends like ours', { headers: { host: 'xlocalhost' } }, 403],
    ['by no name', { headers: { host: '' } }, 403],
    ['to change something', { method: 'POST' }, 405],
    ['as a browser does before', { method: 'OPTIONS' }, 405],
  ])('%s', async (_, world, status) => {
    const asked: TokenRequest[] = [];
    const answer = await ask(token, { ...world, asked });
    expect([answer.status, answer.body.includes(SECRET), asked]).toEqual([status, false, []]);
    expect(answer.note).toMatch(/\.$/);
  });

  test.each([
    '127.0.0.1',
    '127.0.0.1:15021',
    '[::1]:15021',
    '10.0.0.7:15021',
    'localhost:15021',
    'LOCALHOST',
    'metadata.google.internal',
    'metadata.google.internal.',
    'metadata',
  ])('who names it %s may', async (host) => {
    expect((await ask(token, { headers: { host } })).status).toBe(200);
  });
});

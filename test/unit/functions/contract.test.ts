// Every endpoint against the OpenAPI document: what it answers is described there, for good requests and for bad ones.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { describeAll } from '../../../lib/functions/describe-all.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { readPolicy } from '../../../lib/policy/read-policy.ts';
import { generateClient } from '../../../tools/client/generate.ts';
import { streamStatus, testNow } from '../../support/command-line.ts';
import {
  type Asked,
  type AskOptions,
  type FunctionWorld,
  functionWorld,
  testClusterInfo,
} from '../../support/function-world.ts';
import { violations } from '../../support/json-schema.ts';

interface Described {
  readonly operationId: string;
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
}

const document = describeAll('0.0.0') as unknown as Document;
const policy = await readPolicy(
  `
version: 1
rules:
  - {name: read, grant: clusters, callers: ['*@example.com'], clusters: ['prod-*', twin]}
  - {name: refresh, grant: refresh, callers: [alice@example.com]}
  - {name: mint, grant: service-account-tokens, callers: [alice@example.com], clusters: ['prod-*'], namespaces: [shop],
     serviceAccounts: [deployer], audiences: [api-server, 'https://vault.example.com']}
  - {name: fed, grant: federated-tokens, callers: [alice@example.com], clusters: [prod-a], namespaces: [shop], serviceAccounts: [deployer],
     scopes: ['https://www.googleapis.com/auth/pubsub'], pool: p.svc.id.goog, provider: 'https://gkehub.googleapis.com/x'}
  - {name: acc, grant: access-tokens, callers: [alice@example.com], serviceAccounts: [pub@p-12345.iam.gserviceaccount.com],
     scopes: ['https://www.googleapis.com/auth/pubsub']}
  - {name: idt, grant: identity-tokens, callers: [alice@example.com], serviceAccounts: [pub@p-12345.iam.gserviceaccount.com],
     audiences: ['https://run.example.com']}
`,
  'policy.yaml',
);

let world: FunctionWorld;
const seen = new Set<string>();

beforeEach(() => {
  const status = {
    read: async () => ({
      run: {
        run: 'here, pid 1',
        startedAt: 1,
        updatedAt: testNow,
        running: true,
        problems: [{ source: 's', message: 'secret path' }],
      },
      streams: [streamStatus('widgets', 'prod-a'), streamStatus('gadgets', 'prod-b')],
    }),
  };
  world = functionWorld(policy, { services: { status } });
  world.clusters = [
    testClusterInfo('prod-b', {
      labels: { env: 'prod' },
      project: 'p',
      location: 'europe-west1',
      state: 'RUNNING',
      sources: ['gke'],
    }),
    testClusterInfo('prod-a', { aliases: ['other-a'], isDefault: true, tlsServerName: 'kubernetes.internal' }),
    testClusterInfo('test-a'),
    testClusterInfo('twin', { server: 'https://1' }),
    testClusterInfo('twin', { id: 'second' as never, server: 'https://2' }),
  ];
});

/** Asks, and holds the answer to what the document says of it. */
async function ask(target: string, options: AskOptions = {}): Promise<Asked> {
  const answer = await world.ask(target, options);
  const [method = '', url = ''] = target.split(' ');
  const path = url.split('?')[0] ?? '';
  const template = Object.keys(document.paths).find((each) =>
    new RegExp(`^${each.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path),
  );
  const operation = document.paths[template ?? '']?.[method.toLowerCase()];
  if (operation === undefined) return answer;
  const described = operation.responses[answer.status];
  expect(described, `${target} answered ${answer.status}, which is not described`).toBeDefined();
  const media = (answer.headers['content-type'] ?? '').split(';')[0] ?? '';
  const schema = described?.content?.[media]?.schema;
  if (answer.body !== '') expect(schema, `${target}: ${answer.status} ${media} is not described`).toBeDefined();
  const value: unknown = media === 'text/html' ? answer.body : answer.body === '' ? undefined : parse(answer.body);
  if (schema !== undefined) expect(violations(schema, value, document), target).toEqual([]);
  seen.add(`${operation.operationId} ${answer.status}`);
  return answer;
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const exchange = (over: Record<string, string> = {}) => ({
  as: null,
  headers: FORM,
  body: new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: 'alice~example.com',
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    resource: '//iam.googleapis.com/projects/-/serviceAccounts/pub@p-12345.iam.gserviceaccount.com',
    scope: 'https://www.googleapis.com/auth/pubsub',
    ...over,
  }).toString(),
});
const request = (spec: object = {}) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec }),
});
const TOKEN = 'POST /v1/clusters/prod-a/namespaces/shop/serviceaccounts/deployer/token';

describe('every endpoint answers as the OpenAPI document says', () => {
  test('the list: only what the caller may know, by name, filtered, in pages, as YAML and as ClusterProfiles', async () => {
    const all = await ask('GET /v1/clusters');
    expect((all.json['clusters'] as { name: string }[]).map(({ name }) => name)).toEqual([
      'prod-a',
      'prod-b',
      'twin',
      'twin',
    ]);
    expect(all.body).not.toMatch(/CERTIFICATE|kubernetes\.internal/);
    const first = await ask('GET /v1/clusters?limit=3');
    const next = await ask(`GET /v1/clusters?limit=3&continue=${String(first.json['continue'])}`);
    expect(next.json['clusters']).toHaveLength(1);
    expect(next.json['continue']).toBeUndefined();
    expect((await ask(`GET /v1/clusters?source=gke&continue=${String(first.json['continue'])}`)).status).toBe(400);
    const filtered = await ask(
      'GET /v1/clusters?label=env=prod&label=env&project=p&location=europe-west1&state=RUNNING&source=gke',
    );
    expect(filtered.json['clusters']).toHaveLength(1);
    expect((await ask('GET /v1/clusters?label=env=test')).json['clusters']).toEqual([]);
    expect((await ask('GET /v1/clusters', { headers: { accept: 'application/yaml' } })).body).toContain('name: prod-a');
    expect((await ask('GET /v1/clusters?as=ClusterProfileList&limit=1')).json).toMatchObject({
      kind: 'ClusterProfileList',
      metadata: { continue: expect.any(String) as string },
    });
    expect((await ask('GET /v1/clusters', { as: 'bob@elsewhere.example' })).json['clusters']).toEqual([]);
    expect((await ask('GET /v1/clusters', { headers: { accept: 'image/png' } })).status).toBe(406);
  });

  test('an ETag saves a client what it has', async () => {
    const { headers } = await ask('GET /v1/clusters');
    const again = await ask('GET /v1/clusters', { headers: { 'if-none-match': `"x", W/${headers['etag'] ?? ''}` } });
    expect(again).toMatchObject({ status: 304, body: '' });
    world.clusters = world.clusters.slice(1);
    expect((await ask('GET /v1/clusters', { headers: { 'if-none-match': headers['etag'] ?? '' } })).status).toBe(200);
  });

  test('refresh is for those who may', async () => {
    expect((await ask('GET /v1/clusters?refresh=true')).status).toBe(200);
    expect(world.refreshes).toBe(1);
    expect((await ask('GET /v1/clusters?refresh=true', { as: 'bob@example.com' })).status).toBe(403);
    expect(world.refreshes).toBe(1);
  });

  test('a cluster by id, name and alias; one that may not be known is not there; a name that two have is refused', async () => {
    for (const name of ['prod-a', 'id-prod-a', 'other-a']) {
      expect((await ask(`GET /v1/clusters/${name}`)).json['id'], name).toBe('id-prod-a');
    }
    const unknown = await ask('GET /v1/clusters/nope');
    const secret = await ask('GET /v1/clusters/test-a');
    const same = ({ json }: Asked) => ({ ...json, instance: '' });
    expect(same(secret)).toEqual(same(unknown));
    expect((await ask('GET /v1/clusters/twin')).status).toBe(409);
    expect((await ask('GET /v1/clusters/second')).status).toBe(200);
    expect((await ask('GET /v1/clusters/prod-a?as=ClusterProfile')).json['kind']).toBe('ClusterProfile');
  });

  test('its streams, and nothing of the operator’s problems', async () => {
    const { json, body } = await ask('GET /v1/clusters/prod-a/streams');
    expect(json['streams']).toHaveLength(1);
    expect(body).not.toContain('secret path');
  });

  test('kubeconfigs: of one, and of all that the caller may use; without a secret; with the plugin', async () => {
    const one = parse(
      (await ask('GET /v1/clusters/prod-a/kubeconfig?namespace=shop&serviceaccount=deployer')).body,
    ) as Record<string, unknown>;
    expect(one).toMatchObject({
      'current-context': 'prod-a',
      clusters: [
        {
          cluster: {
            server: 'https://prod-a.example.com',
            'certificate-authority-data': expect.any(String) as string,
            'tls-server-name': 'kubernetes.internal',
          },
        },
      ],
    });
    const [user] = one['users'] as { user: { exec: { args: string[]; provideClusterInfo: boolean } } }[];
    expect(user?.user.exec).toMatchObject({ command: 'mk8s', interactiveMode: 'Never', provideClusterInfo: true });
    expect(user?.user.exec.args).toEqual([
      'credential',
      '--cluster=id-prod-a',
      '--service=https://tokens.example.com',
      '--audience=https://tokens.example.com',
      '--namespace=shop',
      '--service-account=deployer',
    ]);
    const all = await ask('GET /v1/kubeconfig', { headers: { accept: 'application/json' } });
    expect((all.json['contexts'] as { name: string }[]).map(({ name }) => name)).toEqual(['prod-a', 'prod-b']);
    expect(
      (await ask('GET /v1/kubeconfig', { as: 'bob@example.com', headers: { accept: 'application/json' } })).json[
        'contexts'
      ],
    ).toEqual([]);
    expect((await ask('GET /v1/clusters/prod-a/kubeconfig?namespace=shop')).status).toBe(400);
  });

  test('a service account’s token: capped by the grant, for the audience, kept for an identical request, never stored', async () => {
    const first = await ask(TOKEN, request({ audiences: ['https://vault.example.com'], expirationSeconds: 86_400 }));
    expect(first.status).toBe(201);
    expect(first.headers['cache-control']).toBe('no-store');
    expect(first.json['spec']).toEqual({ audiences: ['https://vault.example.com'], expirationSeconds: 900 });
    expect(world.mints).toHaveLength(1);
    const again = await ask(TOKEN, request({ audiences: ['https://vault.example.com'] }));
    expect(again.json['status']).toEqual(first.json['status']);
    await ask(TOKEN, request());
    await ask(TOKEN, request({ expirationSeconds: 600 }));
    expect(world.mints).toHaveLength(3);
    world.now += 500_000;
    await ask(TOKEN, request());
    expect(world.mints).toHaveLength(4);
    expect(world.audit.filter(({ decision }) => decision === 'minted')).toHaveLength(5);
    for (const entry of world.audit) expect(entry.tokenHash).toMatch(/^[0-9a-f]{64}$/);
  });

  test('a credential: of the account that is named, or of the only one', async () => {
    const only = await ask('GET /v1/clusters/prod-a/credential');
    const named = await ask('GET /v1/clusters/prod-a/credential?namespace=shop&serviceaccount=deployer');
    expect(named.json).toEqual(only.json);
    expect(only.json).toMatchObject({ kind: 'ExecCredential', status: { token: world.tokens[0] } });
    expect((await ask('GET /v1/clusters/prod-a/credential?namespace=shop&serviceaccount=other')).status).toBe(403);
    expect((await ask('GET /v1/clusters/prod-a/credential', { as: 'bob@example.com' })).status).toBe(403);
    expect((await ask('GET /v1/clusters/test-a/credential')).status).toBe(404);
  });

  test('an exchange: impersonated, federated, identity; nothing but what is granted', async () => {
    const access = await ask('POST /v1/token', exchange());
    expect(access.json).toMatchObject({
      token_type: 'Bearer',
      expires_in: 900,
      scope: 'https://www.googleapis.com/auth/pubsub',
    });
    const identity = {
      requested_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      audience: 'https://run.example.com',
    };
    const form = new URLSearchParams(exchange(identity).body);
    form.delete('scope');
    expect((await ask('POST /v1/token', { as: null, headers: FORM, body: form.toString() })).json['token_type']).toBe(
      'N_A',
    );
    const resource = '//mk8s/clusters/id-prod-a/namespaces/shop/serviceAccounts/deployer';
    expect((await ask('POST /v1/token', exchange({ resource }))).status).toBe(200);
    expect(world.mints.at(-1)).toMatchObject({
      kind: 'federated',
      args: [{}, { pool: 'p.svc.id.goog', provider: 'https://gkehub.googleapis.com/x' }],
    });
    const denied = await ask('POST /v1/token', exchange({ scope: 'https://www.googleapis.com/auth/cloud-platform' }));
    expect(denied).toMatchObject({ status: 403, json: { error: 'invalid_target' } });
    expect((await ask('POST /v1/token', exchange({ subject_token: 'nobody' }))).json).toMatchObject({
      status: 401,
      error: 'invalid_request',
    });
    expect((await ask('POST /v1/token', exchange({ resource: 'https://evil.example' }))).status).toBe(400);
    for (const [sent, status] of [
      [exchange({ grant_type: 'password' }), 400],
      [{ as: null, headers: {}, body: '{}' }, 415],
    ] as const) {
      expect((await ask('POST /v1/token', sent)).json).toMatchObject({ status, error: 'invalid_request' });
    }
  });

  test('an issuer that refuses, is busy, or gives more than was granted: nothing of it goes out', async () => {
    world.failure = new Mk8sError('Cannot create a token: sekret detail', {
      code: 'http',
      status: 403,
      reason: 'Forbidden',
    });
    const refused = await ask(TOKEN, request());
    expect(refused).toMatchObject({
      status: 502,
      json: { detail: 'The issuer of the token did not give it: 403 Forbidden' },
    });
    world.failure = new Error('sekret bug');
    const bug = await ask(TOKEN, request({ expirationSeconds: 700 }));
    expect(bug.status).toBe(500);
    expect(`${refused.body}${bug.body}`).not.toContain('sekret');
    world.failure = undefined;
    world.lives = 90_000;
    const generous = await ask(TOKEN, request({ expirationSeconds: 800 }));
    expect(generous.status).toBe(502);
    expect(generous.body).not.toContain(world.tokens.at(-1));
    expect(world.audit.map(({ decision }) => decision)).toEqual(['failed', 'failed', 'failed']);
  });

  test('about itself', async () => {
    for (const path of ['/healthz', '/readyz', '/openapi.json', '/docs']) {
      expect((await ask(`GET ${path}`, { as: null })).status, path).toBe(200);
    }
    const { body } = await ask('GET /openapi.json', { as: null });
    expect(JSON.parse(body)).toEqual(document);
    const page = await ask('GET /docs', { as: null });
    expect(page.body).not.toMatch(/https?:\/\//);
    expect(page.headers['content-security-policy']).toContain("script-src 'sha256-");
    world = functionWorld(policy, { services: { isReady: () => false } });
    expect((await ask('GET /readyz', { as: null })).status).toBe(503);
  });

  test('each of them was asked', () => {
    const operations = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(operations.filter((id) => ![...seen].some((each) => each.startsWith(`${id} 2`)))).toEqual([]);
  });
});

describe('the client', () => {
  test('is what its generator makes of the description', () => {
    const committed = readFileSync(join(import.meta.dirname, '../../../lib/client/client.ts'), 'utf8');
    expect(committed).toBe(generateClient(describeAll('') as never));
  });
});

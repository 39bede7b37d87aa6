// `POST /v1/token` as it runs: a real service, composed as in production, over HTTP; behind it a fleet of sandboxes and a fake of
// Google's metadata server, STS and IAM credentials, which checks what it is asked as the real ones do.
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../lib/functions/audit.ts';
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.ts';
import { clusterClient } from '../support/cluster-client.ts';
import { createNamespaces } from '../support/crd.ts';
import { type FakeFleet, startFakeFleet } from '../support/fake-fleet.ts';
import { type FakeIssuer, startFakeIssuer } from '../support/fake-issuer.ts';
import { kubeconfigText } from '../support/kubeconfig-file.ts';
import { type RunningProcess, startMk8s } from '../support/process.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

const project = 'fleet-project';
const pool = `${project}.svc.id.goog`;
const provider = `https://container.googleapis.com/v1/projects/${project}/locations/europe-west1/clusters/web`;
/** The service's own account, of the metadata server. */
const service = `runner@${project}.iam.gserviceaccount.com`;
const publisher = `publisher@${project}.iam.gserviceaccount.com`;
/** The policy grants it, and IAM does not let the service impersonate it. */
const locked = `locked@${project}.iam.gserviceaccount.com`;
const pubsub = 'https://www.googleapis.com/auth/pubsub';
const type = (name: string): string => `urn:ietf:params:oauth:token-type:${name}`;
const account = (email: string): string => `//iam.googleapis.com/projects/-/serviceAccounts/${email}`;
const workload = (cluster: string): string => `//mk8s/clusters/${cluster}/namespaces/shop/serviceAccounts/deployer`;

interface Exchanged {
  readonly status: number;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
  /** What was asked of Google for it: path and who asked, as IAM calls them. */
  readonly google: readonly (readonly [string, string | undefined])[];
  readonly audit: AuditEntry | undefined;
}

describe('a token exchange, through Google', () => {
  let web: Sandbox;
  let stranger: Sandbox;
  let fleet: FakeFleet;
  let issuer: FakeIssuer;
  let folder: TemporaryFolder;
  let serve: RunningProcess;
  let url: string;
  /** All that proves something, whoever made it. */
  const secrets = new Set<string>();
  const refusals: string[] = [];

  beforeAll(async () => {
    folder = await temporaryFolder();
    issuer = await startFakeIssuer();
    web = await startSandbox({ name: 'web' });
    stranger = await startSandbox({ name: 'stranger' });
    for (const cluster of [web, stranger]) {
      await using client = clusterClient(cluster);
      await createNamespaces(client, ['shop']);
      const body = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'deployer' } };
      await client.call('POST', '/api/v1/namespaces/shop/serviceaccounts', body);
      secrets.add(cluster.token);
    }
    const trusted = [{ provider, url: web.url, token: web.token, ca: web.ca }];
    secrets.add('ya29.of-the-service');
    fleet = await startFakeFleet('ya29.of-the-service', {
      clusters: [],
      memberships: [],
      trusted,
      impersonable: [publisher],
    });
    const kubeconfig = join(folder.path, 'kubeconfig');
    const policy = join(folder.path, 'policy.yaml');
    await writeFile(kubeconfig, kubeconfigText({ web, stranger }));
    const callers = JSON.stringify([{ issuer: issuer.issuer, email: 'alice@example.com' }]);
    await writeFile(
      policy,
      `version: 1
rules:
  - {name: know, grant: clusters, callers: ${callers}, clusters: ['*']}
  - {name: federate, grant: federated-tokens, callers: ${callers}, clusters: [web, stranger], namespaces: [shop],
     serviceAccounts: [deployer], scopes: ['${pubsub}'], pool: ${pool}, provider: '${provider}'}
  - {name: act, grant: access-tokens, callers: ${callers}, serviceAccounts: [${publisher}, ${locked}], scopes: ['${pubsub}'],
     maxLifetime: 10m}
  - {name: show, grant: identity-tokens, callers: ${callers}, serviceAccounts: [${publisher}, ${locked}],
     audiences: ['https://run.example.com']}
`,
    );
    const flags = [
      '--source',
      'kubeconfig',
      '--kubeconfig',
      kubeconfig,
      '--policy',
      policy,
      '--issuers',
      issuer.issuer,
    ];
    serve = startMk8s(['serve', '--port', '0', ...flags, '--data', join(folder.path, 'data')], { env: fleet.env });
    url = await serve.waitFor('its address', ({ stdout }) => /"url":"([^"]+)"/.exec(stdout)?.[1]);
  });
  afterAll(async () => {
    await serve?.[Symbol.asyncDispose]();
    await fleet?.[Symbol.asyncDispose]();
    await Promise.all([web?.stop(), stranger?.stop()]);
    await issuer?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  async function exchange(parameters: Readonly<Record<string, string>>): Promise<Exchanged> {
    const before = fleet.google.requests.length;
    const body = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: issuer.token(url),
      subject_token_type: type('id_token'),
      ...parameters,
    });
    const response = await fetch(`${url}/v1/token`, { method: 'POST', body });
    const text = await response.text();
    const json = JSON.parse(text) as Record<string, unknown>;
    const given = json['access_token'];
    if (typeof given === 'string') secrets.add(given);
    else refusals.push(text);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const requestId = response.headers.get('x-request-id') ?? '';
    const asked = fleet.google.requests.slice(before);
    for (const { body: sent } of asked) {
      const jwt = new URLSearchParams(sent).get('subject_token');
      if (jwt !== null) secrets.add(jwt);
    }
    return {
      status: response.status,
      text,
      json,
      google: asked
        .filter(({ url: { pathname } }) => !pathname.startsWith('/computeMetadata'))
        .map(({ url: { pathname }, headers }) => {
          const token = (headers.authorization ?? '').replace('Bearer ', '');
          return [pathname, fleet.tokens.whoIs(token)] as const;
        }),
      audit: await auditOf(requestId),
    };
  }

  const auditOf = (requestId: string): Promise<AuditEntry> =>
    serve.waitFor('its audit line', ({ stdout }) =>
      stdout
        .split('\n')
        .filter((line) => line.includes(requestId) && line.endsWith('}'))
        .map((line) => (JSON.parse(line) as { audit?: AuditEntry }).audit)
        .find((audit) => audit !== undefined),
    );

  const sha256 = (token: unknown): string => createHash('sha256').update(String(token)).digest('hex');
  const iam = (email: string, method: string): string => `/v1/projects/-/serviceAccounts/${email}:${method}`;

  test('gives an access token of a service account that the service may impersonate, for as long as was granted', async () => {
    const { status, json, google, audit } = await exchange({ resource: account(publisher), scope: pubsub });
    expect(status).toBe(200);
    expect(json).toMatchObject({ issued_token_type: type('access_token'), token_type: 'Bearer', scope: pubsub });
    expect(fleet.tokens.whoIs(String(json['access_token']))).toBe(`serviceAccount:${publisher}`);
    expect(json['expires_in']).toBeLessThanOrEqual(600);
    expect(json['expires_in']).toBeGreaterThan(500);
    expect(google).toEqual([[iam(publisher, 'generateAccessToken'), `serviceAccount:${service}`]]);
    const sent = JSON.parse(fleet.google.requests.at(-1)?.body ?? '') as object;
    expect(sent).toEqual({ scope: [pubsub], lifetime: '600s' });
    expect(audit).toMatchObject({
      decision: 'minted',
      caller: { issuer: issuer.issuer, email: 'alice@example.com' },
      what: 'access-tokens',
      subject: publisher,
      scopes: [pubsub],
      rule: 'act',
      tokenHash: sha256(json['access_token']),
    });
  });

  test('gives an identity token of it, for the audience that was granted', async () => {
    const audience = 'https://run.example.com';
    const wanted = { resource: account(publisher), requested_token_type: type('id_token'), audience };
    const { status, json, google, audit } = await exchange(wanted);
    expect(status).toBe(200);
    expect(json).toMatchObject({ issued_token_type: type('id_token'), token_type: 'N_A' });
    const [, claims = ''] = String(json['access_token']).split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'))).toMatchObject({
      aud: audience,
      email: publisher,
    });
    expect(google).toEqual([[iam(publisher, 'generateIdToken'), `serviceAccount:${service}`]]);
    expect(audit).toMatchObject({
      decision: 'minted',
      audience,
      rule: 'show',
      tokenHash: sha256(json['access_token']),
    });
  });

  test("gives a federated token of a cluster's service account, whose JWT STS takes from the cluster alone", async () => {
    const { status, json, google, audit } = await exchange({ resource: workload('web'), scope: pubsub });
    expect(status).toBe(200);
    expect(fleet.tokens.whoIs(String(json['access_token']))).toBe(`serviceAccount:${pool}[shop/deployer]`);
    // Nobody's power but the cluster's own word.
    expect(google).toEqual([['/v1/token', undefined]]);
    const form = new URLSearchParams(fleet.google.requests.at(-1)?.body);
    expect(form.get('audience')).toBe(`identitynamespace:${pool}:${provider}`);
    expect(form.get('scope')).toBe(pubsub);
    const [, claims = ''] = (form.get('subject_token') ?? '').split('.');
    const { aud, exp, iat } = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as {
      aud: string[];
      exp: number;
      iat: number;
    };
    expect({ aud, seconds: exp - iat }).toEqual({ aud: [pool], seconds: 600 });
    expect(audit).toMatchObject({
      decision: 'minted',
      what: 'federated-tokens',
      subject: `${web.uid}/shop/deployer`,
      rule: 'federate',
      tokenHash: sha256(json['access_token']),
    });
  });

  test.each([
    ['access', { resource: account(locked), scope: pubsub }, 'generateAccessToken'],
    [
      'identity',
      { resource: account(locked), requested_token_type: type('id_token'), audience: 'https://run.example.com' },
      'generateIdToken',
    ],
  ])(
    'says invalid_target, and nothing of what is inside, where IAM does not let it impersonate (%s)',
    async (_, wanted, method) => {
      const { status, json, text, google, audit } = await exchange(wanted);
      expect(google).toEqual([[iam(locked, method), `serviceAccount:${service}`]]);
      expect(status).toBe(502);
      expect(json).toMatchObject({
        type: 'https://mk8s.dev/problems/upstream',
        error: 'invalid_target',
        error_description: 'The issuer of the token did not give it: 403 PERMISSION_DENIED',
      });
      expect(text).not.toMatch(/runner@|gcloud|iam\.serviceAccounts|127\.0\.0\.1|roles\//);
      expect(audit).toMatchObject({
        decision: 'failed',
        subject: locked,
        reason: expect.stringContaining('403') as string,
      });
      expect(audit).not.toHaveProperty('tokenHash');
      // Whoever runs the service is told what to grant, and to whom.
      expect(serve.stdout()).toContain(
        `gcloud iam service-accounts add-iam-policy-binding ${locked} --role roles/iam.serviceAccountTokenCreator --member serviceAccount:${service}`,
      );
    },
  );

  test('says invalid_target where STS does not trust the cluster', async () => {
    const { status, json, text } = await exchange({ resource: workload('stranger'), scope: pubsub });
    expect(status).toBe(502);
    expect(json).toMatchObject({
      error: 'invalid_target',
      error_description: expect.stringContaining('400') as string,
    });
    expect(text).not.toMatch(/Signature|eyJ|127\.0\.0\.1|svc\.id\.goog/);
  });

  test('asks Google for nothing that the policy does not grant', async () => {
    const wide = 'https://www.googleapis.com/auth/cloud-platform';
    for (const wanted of [
      { resource: account(publisher), scope: wide },
      { resource: account(service), scope: pubsub },
      { resource: workload('web'), scope: wide },
      { resource: workload('web').replace('shop', 'default'), scope: pubsub },
    ]) {
      const { status, json, google } = await exchange(wanted);
      expect({ status, error: json['error'], google }).toEqual({ status: 403, error: 'invalid_target', google: [] });
    }
  });

  test('promise 9: no token, whoever made it, is in the log of the service or in a refusal', async () => {
    expect((await serve.kill('SIGTERM')).code).toBe(0);
    const seen = [serve.stdout(), serve.stderr(), ...refusals].join('\n');
    for (const token of issuer.issued) secrets.add(token);
    expect(secrets.size).toBeGreaterThan(8);
    // The signature of a JWT is what makes it one.
    const parts = [...secrets].map((secret) => (secret.startsWith('eyJ') ? (secret.split('.')[2] ?? '') : secret));
    expect(parts.filter((part) => seen.includes(part))).toEqual([]);
    expect(seen).not.toMatch(/ya29\.|eyJ[A-Za-z0-9_-]{20,}/);
    expect(seen).toContain('"tokenHash":');
  });
});

// Google's token services, asked over real HTTP by Google's own libraries: what is sent, what comes back, what an error says.

import { generateKeyPairSync } from 'node:crypto';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { applicationDefault } from '../../../lib/adapters/google/application-default.ts';
import { federatedTokens } from '../../../lib/adapters/google/federated-tokens.ts';
import { impersonatedTokens } from '../../../lib/adapters/google/impersonated-tokens.ts';
import { metadataServer } from '../../../lib/adapters/google/metadata-server.ts';
import { Token } from '../../../lib/model/token.ts';
import type { TokenSource } from '../../../lib/ports/token-source.ts';
import { apiError, type FakeGoogle, jwtOf, metadataServerAnswers, startFakeGoogle } from '../../support/fake-google.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const NOW = Date.UTC(2026, 0, 1);
const now = (): number => NOW;
const inAnHour = NOW / 1000 + 3600;
const SECRET = 'ya29.secret-token';
const runner = 'runner@p.iam.gserviceaccount.com';

const subject: TokenSource = {
  identity: 'service account default/mk8s of cluster "a"',
  get: (request) =>
    Promise.resolve(new Token(`jwt for ${request.kind === 'identity' ? request.audience : ''}`, new Date(NOW))),
};
const caller: TokenSource = { identity: 'the caller', get: () => Promise.resolve(new Token(SECRET, new Date(NOW))) };

let google: FakeGoogle;
beforeEach(async () => {
  google = await startFakeGoogle(() => undefined);
  vi.stubEnv('GCE_METADATA_HOST', google.host);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await google[Symbol.asyncDispose]();
});

describe('the metadata server', () => {
  test('gives access tokens with their expiry, and identity tokens by audience', async () => {
    google.answer = metadataServerAnswers({
      'instance/service-accounts/default/token': { access_token: SECRET, expires_in: 3599, token_type: 'Bearer' },
      'instance/service-accounts/default/identity': ({ searchParams }: URL) =>
        jwtOf({ aud: searchParams.get('audience'), exp: inAnHour }),
    });
    const source = metadataServer({ now });
    const access = await source.get({ kind: 'access' });
    expect([access.token, access.expiresAt.getTime()]).toEqual([SECRET, NOW + 3_599_000]);
    expect(google.requests[0]?.url.searchParams.get('scopes')).toBe('https://www.googleapis.com/auth/cloud-platform');
    const identity = await source.get({ kind: 'identity', audience: 'https://a.example' });
    expect(identity.token).toBe(jwtOf({ aud: 'https://a.example', exp: inAnHour }));
    expect(identity.expiresAt.getTime()).toBe(inAnHour * 1000);
    // The library may have asked twice for what was slow to come.
    expect(google.requests.at(-1)?.url.searchParams.get('format')).toBe('full');
  });

  test('says where the workload runs, on Cloud Run by its region and on a machine by its zone', async () => {
    const project = {
      'project/project-id': 'p',
      'project/numeric-project-id': '123456789012',
      'instance/service-accounts/default/email': runner,
    };
    google.answer = metadataServerAnswers({
      ...project,
      'instance/region': 'projects/123456789012/regions/europe-west1',
    });
    const expected = { projectId: 'p', projectNumber: '123456789012', serviceAccount: runner, region: 'europe-west1' };
    expect(await metadataServer({ now }).surroundings()).toEqual(expected);
    google.answer = metadataServerAnswers({
      ...project,
      'instance/zone': 'projects/123456789012/zones/europe-west1-b',
    });
    expect(await metadataServer({ now }).surroundings()).toEqual(expected);
  });

  test('without a service account says what to attach, and is not worth asking again', async () => {
    google.answer = metadataServerAnswers({});
    await expect(metadataServer({ now }).get({ kind: 'access' })).rejects.toMatchObject({
      code: 'credentials',
      retryable: false,
      message: expect.stringMatching(
        /^Cannot get an access token from the metadata server as .*: 404.*Attach a service account/,
      ),
    });
  });

  test('that answers nonsense is a protocol error', async () => {
    google.answer = metadataServerAnswers({
      'instance/service-accounts/default/token': { nothing: true },
      'instance/service-accounts/default/identity': 'no JWT',
    });
    const source = metadataServer({ now });
    await expect(source.get({ kind: 'access' })).rejects.toMatchObject({ code: 'protocol' });
    await expect(source.get({ kind: 'identity', audience: 'a' })).rejects.toMatchObject({ code: 'protocol' });
  });

  test('that is busy is worth asking again', async () => {
    google.answer = () => ({
      status: 429,
      headers: { 'metadata-flavor': 'Google', 'retry-after': '2' },
      body: 'slow down',
    });
    await expect(metadataServer({ now }).get({ kind: 'access' })).rejects.toMatchObject({
      status: 429,
      retryable: true,
      retryAfterMs: 2_000,
    });
  });
});

describe('a federated identity', () => {
  const federated = (): TokenSource =>
    federatedTokens({
      subject,
      pool: 'p.svc.id.goog',
      provider: 'https://container.googleapis.com/v1/projects/p/locations/l/clusters/a',
      now,
      url: `${google.url}/v1/token`,
    });

  test('is exchanged for an access token by the JWT of a service account, as RFC 8693 has it', async () => {
    google.answer = () => ({
      body: { access_token: SECRET, issued_token_type: 'urn:…:access_token', token_type: 'Bearer', expires_in: 3600 },
    });
    expect((await federated().get({ kind: 'access' })).token).toBe(SECRET);
    expect(Object.fromEntries(new URLSearchParams(google.requests[0]?.body))).toMatchObject({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: 'identitynamespace:p.svc.id.goog:https://container.googleapis.com/v1/projects/p/locations/l/clusters/a',
      subject_token: 'jwt for p.svc.id.goog',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
    });
  });

  test('promise 9: a refusal names the step and the identity, and repeats no token', async () => {
    const jwt = jwtOf({ sub: 'x' });
    google.answer = () => ({
      status: 400,
      body: { error: 'invalid_grant', error_description: `The token ${jwt} from issuer https://i is stale` },
    });
    const error = await federated()
      .get({ kind: 'access' })
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'credentials', status: 400, reason: 'invalid_grant', retryable: false });
    const { message } = error as Error;
    expect(message).toContain('Cannot exchange its token for a Google access token (identitynamespace:p.svc.id.goog:');
    expect(message).toContain('as service account default/mk8s of cluster "a" in the pool p.svc.id.goog: 400');
    expect(message).not.toContain(jwt);
  });

  test('has no identity tokens, and says what has', async () => {
    await expect(federated().get({ kind: 'identity', audience: 'a' })).rejects.toThrow('impersonate a service account');
    expect(google.requests).toEqual([]);
  });
});

describe('an impersonated service account', () => {
  const impersonated = (): TokenSource => impersonatedTokens({ by: caller, serviceAccount: runner, url: google.url });

  test('gives access tokens and identity tokens by the power of the caller', async () => {
    google.answer = ({ url }) =>
      url.pathname.endsWith(':generateAccessToken')
        ? { body: { accessToken: 'ya29.of-runner', expireTime: new Date(inAnHour * 1000).toISOString() } }
        : { body: { token: jwtOf({ exp: inAnHour }) } };
    const source = impersonated();
    const access = await source.get({ kind: 'access', scopes: ['s'] });
    expect([access.token, access.expiresAt.getTime()]).toEqual(['ya29.of-runner', inAnHour * 1000]);
    const [request] = google.requests;
    expect(request?.url.pathname).toBe(`/v1/projects/-/serviceAccounts/${runner}:generateAccessToken`);
    expect(request?.headers.authorization).toBe(`Bearer ${SECRET}`);
    expect(JSON.parse(request?.body ?? '')).toMatchObject({ scope: ['s'], lifetime: '3600s' });
    expect((await source.get({ kind: 'identity', audience: 'aud' })).expiresAt.getTime()).toBe(inAnHour * 1000);
    const asked = google.requests.at(-1);
    expect(asked?.url.pathname).toBe(`/v1/projects/-/serviceAccounts/${runner}:generateIdToken`);
    expect(JSON.parse(asked?.body ?? '')).toMatchObject({ audience: 'aud', includeEmail: true });
  });

  test('that may not be impersonated says by whom, and the command that grants it', async () => {
    const message = `Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).`;
    google.answer = () => ({ status: 403, body: apiError(403, 'PERMISSION_DENIED', message) });
    const error = await impersonated()
      .get({ kind: 'access' })
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'credentials', status: 403, retryable: false });
    const said = (error as Error).message;
    expect(said).toContain(`as the caller: 403 PERMISSION_DENIED`);
    expect(said).toContain(`gcloud iam service-accounts add-iam-policy-binding ${runner}`);
    expect(said).not.toContain(SECRET);
  });

  test('is asked for again where IAM is unavailable', async () => {
    google.answer = () => ({ status: 503, body: apiError(503, 'UNAVAILABLE', 'try later') });
    await expect(impersonated().get({ kind: 'access' })).rejects.toMatchObject({ status: 503, retryable: true });
  });
});

describe('application default credentials', () => {
  test('are those of the file that GOOGLE_APPLICATION_CREDENTIALS names', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'key.json');
    await writeFile(
      file,
      JSON.stringify({
        type: 'external_account',
        audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider',
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        token_url: `${google.url}/v1/token`,
        credential_source: { file: join(folder.path, 'jwt') },
      }),
    );
    await writeFile(join(folder.path, 'jwt'), jwtOf({ sub: 'a' }));
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', file);
    vi.stubEnv('GOOGLE_CLOUD_PROJECT', 'p');
    google.answer = () => ({
      body: { access_token: SECRET, issued_token_type: 'x', token_type: 'Bearer', expires_in: 3600 },
    });
    const source = applicationDefault({ now: Date.now });
    const token = await source.get({ kind: 'access' });
    expect(token.token).toBe(SECRET);
    expect(token.expiresAt.getTime()).toBeGreaterThan(Date.now() + 3_000_000);
    expect(await source.projectId()).toBe('p');
  });

  test('are asked for tokens without looking for a project first, which would run gcloud at every kubectl call', async () => {
    await using folder = await temporaryFolder();
    const [file, ran] = [join(folder.path, 'adc.json'), join(folder.path, 'ran')];
    await writeFile(join(folder.path, 'gcloud'), `#!/bin/sh\necho > '${ran}'\nexit 1\n`, { mode: 0o755 });
    await writeFile(join(folder.path, 'jwt'), jwtOf({ sub: 'a' }));
    await writeFile(
      file,
      JSON.stringify({
        type: 'external_account',
        audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider',
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        token_url: `${google.url}/v1/token`,
        credential_source: { file: join(folder.path, 'jwt') },
      }),
    );
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', file);
    for (const name of ['GOOGLE_CLOUD_PROJECT', 'GCLOUD_PROJECT', 'google_cloud_project', 'gcloud_project']) {
      vi.stubEnv(name, undefined);
    }
    vi.stubEnv('PATH', `${folder.path}:${process.env['PATH']}`);
    google.answer = () => ({
      body: { access_token: SECRET, issued_token_type: 'x', token_type: 'Bearer', expires_in: 3600 },
    });
    expect((await applicationDefault({ now }).get({ kind: 'access' })).token).toBe(SECRET);
    await expect(access(ran)).rejects.toThrow('ENOENT');
  });

  test('say whose they are where that is a service account, and nothing where it is a person', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'adc.json');
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', file);
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
    await writeFile(file, JSON.stringify({ type: 'service_account', client_email: runner, private_key: key }));
    expect(await applicationDefault({ now }).email()).toBe(runner);
    const person = { type: 'authorized_user', client_id: 'a', client_secret: 'b', refresh_token: 'c' };
    await writeFile(file, JSON.stringify(person));
    expect(await applicationDefault({ now }).email()).toBeUndefined();
  });

  test('that are absent say how to get some', async () => {
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '/nowhere/key.json');
    await expect(applicationDefault({ now }).get({ kind: 'access' })).rejects.toThrow(
      'gcloud auth application-default login',
    );
  });
});

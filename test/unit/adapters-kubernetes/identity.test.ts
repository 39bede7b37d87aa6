import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { identifyCluster } from '../../../lib/adapters/kubernetes/discovery-port.ts';
import { fallbackClusterId, readClusterIdentity } from '../../../lib/adapters/kubernetes/identity.ts';
import { fakeApiServer, jsonAnswer, recordedAnswer, statusAnswer } from '../../support/fake-api-server.ts';
import { failure, fakeClient } from '../../support/fake-client.ts';
import { recordings } from '../../support/recordings.ts';

const version = jsonAnswer({ gitVersion: 'v1.36.2' });
const forbidden = statusAnswer(403, 'Forbidden', 'namespaces "kube-system" is forbidden');

describe('the identity of a cluster', () => {
  test.skipIf(!recordings).each(['v1.36.2/10-discovery', 'v1.20.2'])(
    'is the uid of kube-system, with the version (%s)',
    async (folder) => {
      const api = fakeApiServer(({ path }) =>
        recordedAnswer(`${folder}/${path === '/version' ? 'version' : 'kube-system'}`),
      );
      const identity = await readClusterIdentity(api);
      expect(identity.id).toMatch(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
      expect(identity.version).toBe(folder.split('/')[0]);
    },
  );

  test('that may not be read is an error of 403, and the port then goes by the URL', async () => {
    const api = fakeApiServer(({ path }) => (path === '/version' ? version : forbidden));
    expect(await failure(readClusterIdentity(api, undefined, 'a'))).toMatchObject({ status: 403 });
    expect(await identifyCluster(api)).toEqual({
      id: fallbackClusterId('https://fake:6443'),
      version: 'v1.36.2',
      byAddress: true,
    });
  });

  test('that a proxy refuses is not by the URL: the cluster itself has not said no', async () => {
    const proxy = { status: 403, headers: { 'content-type': 'text/html' }, body: '<html>403 Forbidden</html>' };
    const api = fakeApiServer(({ path }) => (path === '/version' ? version : proxy));
    expect(await failure(identifyCluster(api))).toMatchObject({ status: 403 });
  });

  test('by the URL is stable, and another for another URL or CA', () => {
    const id = fallbackClusterId('https://x');
    expect(id).toBe(fallbackClusterId('https://x'));
    expect(id).toMatch(/^server:[0-9a-f]{32}$/);
    expect(new Set([id, fallbackClusterId('https://y'), fallbackClusterId('https://x', 'ca')]).size).toBe(3);
  });

  test('of something that is not Kubernetes is an error that asks', async () => {
    const error = await failure(
      readClusterIdentity(
        fakeApiServer(() => jsonAnswer({ hello: 'world' })),
        undefined,
        'a',
      ),
    );
    expect(error).toMatchObject({ code: 'protocol' });
  });

  test('does not fall back on anything but 403', async () => {
    const api = fakeApiServer(() => statusAnswer(401, 'Unauthorized', 'Unauthorized'));
    expect(await failure(identifyCluster(api))).toMatchObject({ code: 'credentials' });
  });
});

describe('a token of a service account', () => {
  const secret = 'eyJhbGciOi.secret.signature';
  const granted = jsonAnswer(
    { kind: 'TokenRequest', status: { token: secret, expirationTimestamp: '2026-11-22T15:51:40Z' } },
    201,
  );

  test('expires when the server says, and is asked for as given', async () => {
    const api = fakeApiServer(() => granted);
    const options = { audiences: ['foo'], expirationSeconds: 600, boundObjectRef: { kind: 'Pod', name: 'p' } as const };
    const { token, expiresAt } = await fakeClient(api).createToken('team-a', 'reader', options);
    expect(token).toBe(secret);
    expect(expiresAt.toISOString()).toBe('2026-11-22T15:51:40.000Z');
    expect(api.requests[0]).toMatchObject({
      method: 'POST',
      path: '/api/v1/namespaces/team-a/serviceaccounts/reader/token',
    });
    expect(JSON.parse(api.requests[0]?.body as string)).toEqual({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: options,
    });
  });

  test('promise 9: is not in what is printed or serialised, nor in the error of a broken answer', async () => {
    const token = await fakeClient(fakeApiServer(() => granted)).createToken('a', 'b');
    expect(inspect(token, { depth: 9, showHidden: true })).toBe(
      'ServiceAccountToken { expiresAt: 2026-11-22T15:51:40.000Z }',
    );
    expect(JSON.stringify({ token })).not.toContain('secret');
    for (const body of [`{"status":{"token":"${secret}"}}`, `{"status":{"token":"${secret}"`]) {
      const error = await failure(fakeClient(fakeApiServer(() => ({ status: 201, body }))).createToken('a', 'b'));
      expect(error.code).toBe('protocol');
      expect(inspect(error, { depth: 9 })).not.toContain('secret');
    }
  });

  test.skipIf(!recordings).each([
    ['v1.36.2/60-auth/token-request-599-seconds-422', 422, 'may not specify a duration less than 10 minutes'],
    ['v1.36.2/60-auth/token-request-missing-sa-404', 404, 'serviceaccounts "ghost" not found'],
  ])('that is refused says why (%s)', async (recording, status, why) => {
    const error = await failure(
      fakeClient(fakeApiServer(() => recordedAnswer(recording))).createToken('team-a', 'ghost'),
    );
    expect(error.status).toBe(status);
    expect(error.message).toContain('Cannot create a token for service account "team-a/ghost" in cluster "a": ');
    expect(error.message).toContain(why);
  });

  test.skipIf(!recordings).each(['v1.36.2/60-auth/token-request-ten-years', 'v1.20.2/token-request'])(
    'is read from a recorded answer (%s)',
    async (recording) => {
      const api = fakeApiServer(() => recordedAnswer(recording));
      expect((await fakeClient(api).createToken('team-a', 'reader')).expiresAt.getTime()).toBeGreaterThan(0);
    },
  );
});

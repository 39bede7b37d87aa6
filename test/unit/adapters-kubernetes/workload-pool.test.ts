// What a cluster knows of Google's workload identity: its pool, and whom its credentials speak for.
import { describe, expect, test } from 'vitest';
import { ownServiceAccount, serviceAccountTokens } from '../../../lib/adapters/kubernetes/service-account-tokens.ts';
import { readWorkloadPool } from '../../../lib/adapters/kubernetes/workload-pool.ts';
import { type FakeHandler, fakeApiServer, jsonAnswer, statusAnswer } from '../../support/fake-api-server.ts';

const link = 'https://container.googleapis.com/v1/projects/p/locations/us-central1/clusters/a';
const hub = 'https://gkehub.googleapis.com/projects/p/locations/global/memberships/a';
const target = (handler: FakeHandler) => ({ api: fakeApiServer(handler), name: 'a' });
const notFound = statusAnswer(404, 'NotFound', 'not here');

describe('the workload identity pool of a cluster', () => {
  const answering = (membership: object | undefined, issuer: string | undefined) =>
    readWorkloadPool(
      target(({ path }) => {
        if (path.endsWith('/memberships/membership'))
          return membership === undefined ? notFound : jsonAnswer(membership);
        return issuer === undefined ? statusAnswer(403, 'Forbidden', 'no') : jsonAnswer({ issuer });
      }),
    );

  test('is that of its fleet membership', async () => {
    const spec = { identity_provider: hub, workload_identity_pool: 'p.svc.id.goog', owner: { id: '//gkehub…' } };
    expect(await answering({ spec }, link)).toEqual({ pool: 'p.svc.id.goog', provider: hub });
  });

  test("else, of a GKE cluster, its project's, by its issuer", async () => {
    expect(await answering(undefined, link)).toEqual({ pool: 'p.svc.id.goog', provider: link });
    // A membership without workload identity.
    expect(await answering({ spec: { owner: { id: 'x' } } }, link)).toEqual({ pool: 'p.svc.id.goog', provider: link });
  });

  test('is not known of another cluster, or of one that does not say', async () => {
    expect(await answering(undefined, 'https://kubernetes.default.svc')).toBeUndefined();
    expect(await answering(undefined, 'https://container.googleapis.com.evil.example/v1/projects/p')).toBeUndefined();
    expect(await answering(undefined, undefined)).toBeUndefined();
  });

  test('of a cluster that cannot be asked is an error', async () => {
    await expect(readWorkloadPool(target(() => statusAnswer(503, '', 'starting')))).rejects.toMatchObject({
      status: 503,
    });
  });
});

describe('a service account of a cluster', () => {
  test('is the one that the credentials speak for, where they are one', async () => {
    const review = (username: string) => target(() => jsonAnswer({ status: { userInfo: { username } } }, 201));
    expect(await ownServiceAccount(review('system:serviceaccount:team-a:mk8s'))).toEqual({
      namespace: 'team-a',
      name: 'mk8s',
    });
    expect(await ownServiceAccount(review('jane@example.com'))).toBeUndefined();
    // Before Kubernetes 1.28.
    expect(await ownServiceAccount(target(() => notFound))).toBeUndefined();
  });

  test('gives JWTs for an audience, and says what to grant where it may not', async () => {
    const expirationTimestamp = new Date(Date.now() + 3_600_000).toISOString();
    const cluster = target(() => jsonAnswer({ status: { token: 'a.b.c', expirationTimestamp } }, 201));
    const source = serviceAccountTokens(cluster, { namespace: 'team-a', name: 'mk8s' });
    expect((await source.get({ kind: 'identity', audience: 'p.svc.id.goog' })).token).toBe('a.b.c');
    const [request] = cluster.api.requests;
    expect(request?.path).toBe('/api/v1/namespaces/team-a/serviceaccounts/mk8s/token');
    expect(JSON.parse(String(request?.body))).toMatchObject({ spec: { audiences: ['p.svc.id.goog'] } });
    await expect(source.get({ kind: 'access' })).rejects.toThrow('a cluster issues identity tokens only');
    const denied = serviceAccountTokens(
      target(() => statusAnswer(403, 'Forbidden', 'serviceaccounts "mk8s" is forbidden')),
      { namespace: 'team-a', name: 'mk8s' },
    );
    await expect(denied.get({ kind: 'identity', audience: 'x' })).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining(
        'kubectl create role mk8s-token -n team-a --verb=create --resource=serviceaccounts/token --resource-name=mk8s',
      ),
    });
  });
});

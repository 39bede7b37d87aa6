// Which clusters share a gateway's quota, and how large it is for one process.
import { describe, expect, test } from 'vitest';
import { gatewayKeeper, gatewayLimits } from '../../../lib/compose/gateways.ts';
import type { ApiServer } from '../../../lib/ports/api-server.ts';
import type { ClusterCandidate, ClusterSource } from '../../../lib/ports/cluster-source.ts';
import { fakeApiServer, jsonAnswer } from '../../support/fake-api-server.ts';

const config = { gateway: { streams: 10, requestsPerMinute: 2_400 }, shard: { index: 0, count: 1 } };
const never = new AbortController().signal;

async function connected(candidates: readonly Partial<ClusterCandidate>[], times = 1): Promise<ApiServer[]> {
  const whole = candidates.map(
    (candidate, index): ClusterCandidate => ({
      name: `c${index}`,
      source: 'test',
      server: 'https://10.0.0.1',
      namespace: 'default',
      isDefault: false,
      fingerprint: '',
      connect: () => fakeApiServer(() => jsonAnswer({})),
      ...candidate,
    }),
  );
  const keep = gatewayKeeper(config);
  let source: ClusterSource = { name: 'test', discover: async () => ({ candidates: whole, problems: [] }) };
  for (let left = times; left > 0; left -= 1) source = keep(source);
  return (await source.discover()).candidates.map((candidate) => candidate.connect());
}

describe('the quota of a gateway', () => {
  test('is shared by what names the gateway, and by contexts of gcloud’s whose address shows it; others have none', async () => {
    const gateway = 'Connect Gateway of project 123';
    const apis = await connected([
      { gateway },
      { server: 'https://connectgateway.googleapis.com/v1/projects/123/locations/global/memberships/web' },
      {
        server:
          'https://europe-west1-connectgateway.googleapis.com/v1beta1/projects/123/locations/europe-west1/gkeMemberships/a',
      },
      { server: 'https://connectgateway.googleapis.com/v1/projects/456/locations/global/memberships/web' },
      { server: 'https://connectgateway.googleapis.com.example.com/v1/projects/123/locations/global/memberships/web' },
      {},
    ]);
    expect(apis.map(({ quota }) => quota?.name)).toEqual([
      gateway,
      gateway,
      gateway,
      'Connect Gateway of project 456',
      undefined,
      undefined,
    ]);
    const [first, second, , other] = apis;
    const places = Array.from({ length: 10 }, () => first?.quota?.join());
    for (const place of places) await place?.take('watch', never);
    let has = false;
    second?.quota
      ?.join()
      .take('watch', never)
      .then(
        () => (has = true),
        () => undefined,
      );
    await other?.quota?.join().take('watch', never);
    expect(has).toBe(false);
  });

  test('is counted once for what is kept twice', async () => {
    const [api] = await connected([{ gateway: 'g' }], 2);
    expect((await connected([{ gateway: 'g' }]))[0]?.quota?.name).toBe('g');
    // The bucket holds 240 requests: counted twice, half of them would empty it.
    for (let left = 200; left > 0; left -= 1) await api?.request({ path: '/version' });
    const over = AbortSignal.timeout(0);
    await expect(api?.quota?.admit(1, over)).resolves.toBeUndefined();
  });

  test.each([
    [1, 10, 2_400],
    [3, 3, 800],
    [10, 1, 240],
    [25, 1, 96],
  ])('is divided among %i tasks', (count, streams, requestsPerMinute) => {
    expect(gatewayLimits({ ...config, shard: { index: 0, count } })).toEqual({ streams, requestsPerMinute });
  });
});

// GKE clusters as candidates: which endpoint is taken, what is said of clusters that cannot be reached, how one is named.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { gkeClusters } from '../../../lib/adapters/google/gke-clusters.ts';
import { gkeSource } from '../../../lib/adapters/google/gke-source.ts';
import { parseGkeName } from '../../../lib/model/gke-name.ts';
import { Token } from '../../../lib/model/token.ts';
import { fakeApiServer } from '../../support/fake-api-server.ts';
import { apiError, type FakeGoogle, startFakeGoogle } from '../../support/fake-google.ts';

const ca = Buffer.from('-----BEGIN CERTIFICATE-----').toString('base64');
const tokens = {
  identity: 'runner@p',
  get: () => Promise.resolve(new Token('ya29.t', new Date(Date.now() + 3_600_000))),
};

let google: FakeGoogle;
beforeEach(async () => {
  google = await startFakeGoogle(() => undefined);
});
afterEach(() => google[Symbol.asyncDispose]());

async function discover(clusters: readonly object[], endpoints: readonly ('dns' | 'public' | 'private')[]) {
  google.answer = () => ({ body: { clusters, missingZones: ['us-west1-a'] } });
  const opened: { server: string; ca: string | undefined }[] = [];
  const api = gkeClusters({ tokens, url: new URL(google.url) });
  const source = gkeSource({
    clusters: api,
    projects: () => Promise.resolve(['p']),
    endpoints,
    open(endpoint) {
      opened.push({ server: endpoint.server.href, ca: endpoint.ca });
      return fakeApiServer(() => ({}));
    },
  });
  const found = await source.discover();
  for (const candidate of found.candidates) if (candidate.unavailable === undefined) candidate.connect();
  await api.close();
  return { ...found, opened };
}

const everyEndpoint = {
  name: 'a',
  location: 'us-central1',
  status: 'RUNNING',
  endpoint: '34.1.1.1',
  masterAuth: { clusterCaCertificate: ca },
  controlPlaneEndpointsConfig: {
    dnsEndpointConfig: { endpoint: 'gke-1.us-central1.gke.goog', allowExternalTraffic: true },
    ipEndpointsConfig: {
      enabled: true,
      enablePublicEndpoint: true,
      publicEndpoint: '34.1.1.1',
      privateEndpoint: '10.0.0.2',
    },
  },
};

describe('the gke source', () => {
  test('takes the first kind of endpoint that a cluster has, with its own CA for addresses and none for DNS', async () => {
    const pem = '-----BEGIN CERTIFICATE-----';
    expect((await discover([everyEndpoint], ['dns', 'public'])).opened).toEqual([
      { server: 'https://gke-1.us-central1.gke.goog/', ca: undefined },
    ]);
    expect((await discover([everyEndpoint], ['private', 'dns'])).opened).toEqual([
      { server: 'https://10.0.0.2/', ca: pem },
    ]);
    const old = {
      ...everyEndpoint,
      controlPlaneEndpointsConfig: undefined,
      privateClusterConfig: { privateEndpoint: '10.0.0.3', publicEndpoint: '34.1.1.2' },
    };
    expect((await discover([old], ['dns', 'public', 'private'])).opened).toEqual([
      { server: 'https://34.1.1.2/', ca: pem },
    ]);
  });

  test('leaves a DNS name alone that answers only services of Google', async () => {
    const { controlPlaneEndpointsConfig: endpoints } = everyEndpoint;
    const closed = { ...endpoints, dnsEndpointConfig: { ...endpoints.dnsEndpointConfig, allowExternalTraffic: false } };
    const cluster = { ...everyEndpoint, controlPlaneEndpointsConfig: closed };
    expect((await discover([cluster], ['dns', 'public'])).opened).toMatchObject([{ server: 'https://34.1.1.1/' }]);
  });

  test('promise 8: keeps the clusters of a project, and of a location, that does not answer, and says so', async () => {
    const api = gkeClusters({ tokens, url: new URL(google.url) });
    const source = gkeSource({
      clusters: api,
      projects: () => Promise.resolve(['p', 'q']),
      endpoints: ['dns'],
      open: () => fakeApiServer(() => ({})),
    });
    const named = async (): Promise<string[]> => (await source.discover()).candidates.map(({ name }) => name);
    google.answer = () => ({ body: { clusters: [everyEndpoint] } });
    const both = ['gke_p_us-central1_a', 'gke_q_us-central1_a'];
    expect(await named()).toEqual(both);
    google.answer = ({ url }) =>
      url.pathname.includes('/q/')
        ? { status: 503, body: apiError(503, 'UNAVAILABLE', 'try later') }
        : { body: { clusters: [], missingZones: ['us-central1'] } };
    expect(await named()).toEqual(both);
    google.answer = () => ({ body: { clusters: [] } });
    expect(await named()).toEqual([]);
    await api.close();
  });

  test('lists a cluster without such an endpoint with the ones that it has', async () => {
    const inside = {
      ...everyEndpoint,
      controlPlaneEndpointsConfig: undefined,
      endpoint: '10.0.0.4',
      privateClusterConfig: { enablePrivateEndpoint: true, privateEndpoint: '10.0.0.4' },
    };
    const { candidates, opened } = await discover([inside], ['dns', 'public']);
    expect(candidates[0]?.unavailable).toBe(
      'it has no dns or public endpoint, but private; choose with --gke-endpoints',
    );
    expect(opened).toEqual([]);
  });

  test('tells of locations that did not answer, and of a state in which nothing answers', async () => {
    const { candidates, problems } = await discover(
      [{ ...everyEndpoint, status: 'ERROR', statusMessage: 'no quota' }],
      ['dns'],
    );
    expect(problems.map(({ message }) => message)).toEqual([
      'GKE did not hear from us-west1-a of project p: clusters there may be missing from the list',
    ]);
    expect(candidates).toMatchObject([{ state: 'ERROR', unavailable: 'GKE says ERROR: no quota' }]);
  });

  test('changes a fingerprint when the way or the state changes, and only then', async () => {
    const fingerprint = async (cluster: object): Promise<string | undefined> =>
      (await discover([cluster], ['dns'])).candidates[0]?.fingerprint;
    const before = await fingerprint(everyEndpoint);
    expect(await fingerprint({ ...everyEndpoint, resourceLabels: { a: 'b' }, status: 'RECONCILING' })).toBe(before);
    expect(await fingerprint({ ...everyEndpoint, status: 'STOPPING' })).not.toBe(before);
  });

  test('of a project without the API says how to enable it', async () => {
    const message = 'Kubernetes Engine API has not been used in project p before or it is disabled.';
    google.answer = () => ({ status: 403, body: apiError(403, 'PERMISSION_DENIED', message, 'SERVICE_DISABLED') });
    await expect(gkeClusters({ tokens, url: new URL(google.url) }).list('p')).rejects.toThrow(
      'gcloud services enable container.googleapis.com --project p',
    );
  });
});

describe('the name of a GKE cluster', () => {
  test.each([
    'gke://p/us-central1/a',
    'https://container.googleapis.com/v1/projects/p/locations/us-central1/clusters/a',
    'https://container.googleapis.com/v1beta1/projects/p/zones/us-central1/clusters/a',
    '//container.googleapis.com/projects/p/locations/us-central1/clusters/a',
  ])('is read from %s', (text) => {
    expect(parseGkeName(text)).toEqual({ project: 'p', location: 'us-central1', name: 'a' });
  });

  test.each(['gke://p/a', 'p/l/a', 'https://example.com/p/l/a', 'gke://p/l/a/b', 'gke://p/l/A'])(
    'is not read from %s',
    (text) => {
      expect(() => parseGkeName(text)).toThrow('write gke://PROJECT/LOCATION/NAME');
    },
  );
});

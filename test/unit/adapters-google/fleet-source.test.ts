// Fleet memberships as candidates: how each is addressed, and what becomes of them while Hub does not answer.
import { describe, expect, test } from 'vitest';
import { fleetSource } from '../../../lib/adapters/google/fleet-source.ts';
import type { HubMemberships, Membership } from '../../../lib/adapters/google/hub-memberships.ts';
import { fakeApiServer } from '../../support/fake-api-server.ts';

const membership = (name: string, rest: Partial<Membership> = {}): Membership => ({
  project: 'p',
  location: 'global',
  name,
  state: 'READY',
  labels: {},
  gkeCluster: '',
  hasEndpoint: true,
  ...rest,
});

function world(list: HubMemberships['list']) {
  const opened: { server: string; project: string }[] = [];
  const source = fleetSource({
    hub: { list, projectNumber: () => Promise.resolve('42') },
    projects: () => Promise.resolve(['p']),
    open({ server, project }) {
      opened.push({ server: server.href, project });
      return fakeApiServer(() => ({}));
    },
  });
  return { source, opened };
}

describe('the fleet source', () => {
  test('addresses memberships by project number: regional ones at regional hosts, GKE clusters in their own collection', async () => {
    const link = 'projects/p/locations/us-central1/clusters/a';
    const { source, opened } = world(() =>
      Promise.resolve({
        memberships: [membership('attached'), membership('a', { location: 'us-central1', gkeCluster: link })],
        missing: [],
      }),
    );
    const { candidates } = await source.discover();
    for (const candidate of candidates) candidate.connect();
    expect(candidates.map(({ name, id }) => [name, id])).toEqual([
      ['connectgateway_p_global_attached', '//gkehub.googleapis.com/projects/p/locations/global/memberships/attached'],
      ['connectgateway_p_us-central1_a', `//container.googleapis.com/${link}`],
    ]);
    expect(opened).toEqual([
      {
        server: 'https://connectgateway.googleapis.com/v1/projects/42/locations/global/memberships/attached',
        project: 'p',
      },
      {
        server:
          'https://us-central1-connectgateway.googleapis.com/v1/projects/42/locations/us-central1/gkeMemberships/a',
        project: 'p',
      },
    ]);
  });

  test('lists a membership without an endpoint, or in another state than ready, with what to do about it', async () => {
    const { source } = world(() =>
      Promise.resolve({
        memberships: [membership('empty', { hasEndpoint: false }), membership('new', { state: 'CREATING' })],
        missing: [],
      }),
    );
    expect((await source.discover()).candidates.map(({ unavailable }) => unavailable)).toEqual([
      'membership empty in global of the fleet of project p has no endpoint: no cluster is registered under it. Register it: gcloud container fleet memberships register empty --location global --project p --context CONTEXT',
      'GKE Hub says CREATING',
    ]);
  });

  test('promise 8: keeps what a project, or a location, had while that does not answer, and says so', async () => {
    const answers: (() => ReturnType<HubMemberships['list']>)[] = [
      () => Promise.resolve({ memberships: [membership('a'), membership('b', { location: 'us-east1' })], missing: [] }),
      () => Promise.resolve({ memberships: [], missing: ['projects/p/locations/us-east1'] }),
      () => Promise.reject(new Error('503')),
      () => Promise.resolve({ memberships: [], missing: [] }),
    ];
    const { source } = world(() => (answers.shift() as () => ReturnType<HubMemberships['list']>)());
    const seen = async (): Promise<unknown> => {
      const { candidates, problems } = await source.discover();
      return [candidates.map(({ name }) => name), problems.map(({ message }) => message)];
    };
    expect(await seen()).toEqual([['connectgateway_p_global_a', 'connectgateway_p_us-east1_b'], []]);
    expect(await seen()).toEqual([
      ['connectgateway_p_us-east1_b'],
      [
        'GKE Hub did not hear from projects/p/locations/us-east1 of project p: memberships there may be missing from the list',
      ],
    ]);
    expect(await seen()).toEqual([['connectgateway_p_us-east1_b'], ['503']]);
    expect(await seen()).toEqual([[], []]);
  });
});

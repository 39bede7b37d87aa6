// The default cluster where nothing else says, as a table: what there is, what is wished for, what is chosen.
import { describe, expect, test } from 'vitest';
import { chooseDefault, type DefaultWish, unmetWish } from '../../../lib/discover/default-cluster.ts';

interface Entry {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly isDefault: boolean;
  readonly location?: string;
  readonly unavailable?: string;
}

const cluster = (name: string, location?: string, rest: Partial<Entry> = {}): Entry => ({
  name,
  isDefault: false,
  ...(location === undefined ? {} : { location }),
  ...rest,
});

const us = 'us-central1';
const fleet = [
  cluster('gke_p_us-central1_web', us),
  cluster('gke_p_us-central1-b_istio-config', 'us-central1-b'),
  cluster('gke_p_europe-west1_istio', 'europe-west1'),
  cluster('gke_p_europe-west1_api', 'europe-west1'),
];

const rows: readonly [string, readonly Entry[], DefaultWish, string | undefined][] = [
  [
    'the one that says so, whatever is wished for',
    [...fleet, cluster('current', undefined, { isDefault: true })],
    { named: 'gke://p/europe-west1/api', region: us },
    'current',
  ],
  [
    'the one that MESH_URL names by gke URL',
    fleet,
    { named: 'gke://p/europe-west1/api', region: us },
    'gke_p_europe-west1_api',
  ],
  [
    'the one that MESH_URL names by its link',
    fleet,
    { named: 'https://container.googleapis.com/v1/projects/p/locations/us-central1/clusters/web' },
    'gke_p_us-central1_web',
  ],
  [
    'the one that is named by an alias',
    [cluster('prod', us, { aliases: ['gke_p_l_web'] }), ...fleet],
    { named: 'gke://p/l/web' },
    'prod',
  ],
  [
    'none instead of the one that is named and not there',
    fleet,
    { named: 'gke://p/europe-west1/none', region: us },
    undefined,
  ],
  ['of the region and the customary name', fleet, { region: us }, 'gke_p_us-central1-b_istio-config'],
  [
    'of the region and the name that is asked for',
    fleet,
    { named: 'cluster://we', region: us },
    'gke_p_us-central1_web',
  ],
  [
    'of the region where none there has the name',
    fleet,
    { named: 'cluster://api', region: us },
    'gke_p_us-central1-b_istio-config',
  ],
  ['of the name where no cluster is in the region', fleet, { region: 'asia-east1' }, 'gke_p_europe-west1_istio'],
  ['of the name where no region is known', fleet, {}, 'gke_p_europe-west1_istio'],
  [
    'any, the first by name, where neither helps',
    fleet,
    { named: 'cluster://none', region: 'asia-east1' },
    'gke_p_europe-west1_api',
  ],
  ['none in a region that only begins alike', [cluster('a', 'us-central10'), cluster('b', us)], { region: us }, 'b'],
  [
    'by the place in the name of a context',
    [cluster('gke_p_us-east1_b'), cluster('connectgateway_p_us-central1_a')],
    { region: us },
    'connectgateway_p_us-central1_a',
  ],
  [
    'none that cannot be used',
    [cluster('a', us, { unavailable: 'GKE says PROVISIONING' }), cluster('b', 'us-east1')],
    { region: us },
    'b',
  ],
  ['the only one, without a place', [cluster('kind')], { region: us }, 'kind'],
  ['none of several without a place, as kubectl', [cluster('kind-a'), cluster('kind-b')], { region: us }, undefined],
  ['none of none', [], { region: us }, undefined],
];

describe('the default cluster is', () => {
  test.each(rows)('%s', (_, clusters, wish, expected) => {
    expect(chooseDefault(clusters, wish)?.name).toBe(expected);
    expect(chooseDefault(clusters.toReversed(), wish)?.name).toBe(expected);
  });
});

test('a default that is named and not there is told, and how to add it', () => {
  expect(unmetWish(fleet, { named: 'gke://p/l/none' })).toMatch(
    /^The default cluster should be gke:\/\/p\/l\/none .*which no source names: add one with --source/,
  );
  expect(unmetWish(fleet, { named: 'gke://p/europe-west1/api' })).toBeUndefined();
  expect(unmetWish([], { named: 'cluster://a' })).toBeUndefined();
  expect(unmetWish([], {})).toBeUndefined();
});

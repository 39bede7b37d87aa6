// What the names of contexts say of where a cluster is.
import { expect, test } from 'vitest';
import { placeInName } from '../../../lib/model/gke-name.ts';

test.each([
  ['gke_shop-prod_europe-west1-b_web', { kind: 'gke', project: 'shop-prod', location: 'europe-west1-b', name: 'web' }],
  [
    'connectgateway_shop-prod_global_attached',
    { kind: 'membership', project: 'shop-prod', location: 'global', name: 'attached' },
  ],
  [
    'gke_example.com:shop_us-central1_web',
    { kind: 'gke', project: 'example.com:shop', location: 'us-central1', name: 'web' },
  ],
])('%s says the project, the location and the name', (name, place) => {
  expect(placeInName(name)).toEqual(place);
});

test.each([
  'kind-web',
  'gke_shop_web',
  'gke_shop_us-central1_web_2',
  'gke_../x_us-central1_web',
  'GKE_a_b_c',
  'my_gke_a_b_c',
  '',
])('"%s" says nothing', (name) => {
  expect(placeInName(name)).toBeUndefined();
});

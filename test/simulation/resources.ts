// What simulated clusters serve: custom resources with and without namespaces, one of an aggregated API, and Secrets.
import type { GroupResource } from '../../lib/model/resource.ts';
import type { SimResource } from './server/sim-object.ts';

const custom: readonly SimResource[] = [
  { group: 'example.com', plural: 'widgets', kind: 'Widget', namespaced: true, versions: ['v1'], origin: 'custom' },
  {
    group: 'example.com',
    plural: 'gadgets',
    kind: 'Gadget',
    namespaced: false,
    versions: ['v2', 'v1'],
    origin: 'custom',
  },
  { group: 'more.example.com', plural: 'routes', kind: 'Route', namespaced: true, versions: ['v1'], origin: 'custom' },
];
const others: readonly SimResource[] = [
  { group: '', plural: 'secrets', kind: 'Secret', namespaced: true, versions: ['v1'], origin: 'built-in' },
];

/** The first `count` custom resources, and Secrets. */
export function resourcesOf(count: number): readonly SimResource[] {
  return [...custom.slice(0, count), ...others];
}

export function isNamespaced({ group, plural }: GroupResource): boolean {
  return [...custom, ...others].some((each) => each.group === group && each.plural === plural && each.namespaced);
}

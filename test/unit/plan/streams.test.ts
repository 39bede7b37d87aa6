// Which streams an operator's wishes make of what a cluster serves, and which task follows them.
import { describe, expect, test } from 'vitest';
import { parseGroupResource, type ResourceInfo } from '../../../lib/model/resource.ts';
import { clusterId } from '../../../lib/model/stream.ts';
import { resourcePattern } from '../../../lib/plan/resource-pattern.ts';
import { ownerOf } from '../../../lib/plan/shard.ts';
import { planStreams, type Wanted } from '../../../lib/plan/streams.ts';

const served = (name: string, more: Partial<ResourceInfo> = {}): ResourceInfo => ({
  ...parseGroupResource(name),
  version: 'v1',
  kind: 'Kind',
  namespaced: true,
  verbs: ['get', 'list', 'watch'],
  custom: parseGroupResource(name).group.includes('.'),
  ...more,
});
const resources = [
  served('secrets'),
  served('configmaps'),
  served('deployments.apps'),
  served('virtualservices.networking.istio.io'),
  served('gateways.gateway.networking.k8s.io'),
  served('gatewayclasses.gateway.networking.k8s.io', { namespaced: false }),
  served('tokenreviews.example.com', { verbs: ['create'] }),
  served('listonly.example.com', { verbs: ['list'] }),
];
const everything: Wanted = { resources: [], excludeResources: [], namespaces: [], shard: { index: 0, count: 1 } };
const plan = (wanted: Partial<Wanted>): string[] => [
  ...planStreams(clusterId('c'), resources, { ...everything, ...wanted }).keys(),
];

describe('a plan', () => {
  test.each<[string, Partial<Wanted>, string[]]>([
    [
      'by default every custom resource that can be listed and watched',
      {},
      [
        'virtualservices.networking.istio.io',
        'gateways.gateway.networking.k8s.io',
        'gatewayclasses.gateway.networking.k8s.io',
      ],
    ],
    [
      'groups by pattern, whatever stands before them',
      { resources: ['*.istio.io'] },
      ['virtualservices.networking.istio.io'],
    ],
    [
      'built-in resources by name',
      { resources: ['deployments.apps', 'configmaps'] },
      ['configmaps', 'deployments.apps'],
    ],
    ['promise 9: core Secrets only by their full name', { resources: ['secrets'] }, ['secrets']],
    ['promise 9: and by no pattern', { resources: ['s*', 'secret*', '*crets'] }, []],
    [
      'not what is excluded',
      { resources: ['*'], excludeResources: ['*.k8s.io', 'configmaps'] },
      ['deployments.apps', 'virtualservices.networking.istio.io'],
    ],
    [
      'one stream a namespace, and nothing that has none',
      { resources: ['gateway*'], namespaces: ['a', 'b'] },
      ['gateways.gateway.networking.k8s.io?namespace=a', 'gateways.gateway.networking.k8s.io?namespace=b'],
    ],
    ['with a label selector', { resources: ['configmaps'], labelSelector: 'a=b' }, ['configmaps?labelSelector=a%3Db']],
  ])('has %s', (_, wanted, expected) => {
    expect(plan(wanted)).toEqual(expected.map((name) => `c/${name}`));
  });

  test('is split among tasks without overlap or loss', () => {
    const wanted = { resources: ['*'], namespaces: ['a', 'b', 'c', 'd', 'e'] };
    const parts = [0, 1, 2].map((index) => plan({ ...wanted, shard: { index, count: 3 } }));
    expect(parts.flat().toSorted()).toEqual(plan(wanted).toSorted());
    for (const part of parts) expect(part.length).toBeGreaterThan(0);
  });
});

describe('a pattern', () => {
  test('takes dots for dots, ignores case, and matches whole names', () => {
    const matches = (pattern: string, name: string): boolean => resourcePattern(pattern)(parseGroupResource(name));
    expect(matches('widgets.example.com', 'widgets.exampleXcom')).toBe(false);
    expect(matches('Widgets.example.com', 'widgets.example.com')).toBe(true);
    expect(matches('widgets.example', 'widgets.example.com')).toBe(false);
    expect(matches('*', 'secrets.example.com')).toBe(true);
  });
});

describe('rendezvous hashing', () => {
  const keys = Array.from({ length: 2_000 }, (_, index) => `c-${index % 7}/r-${index}`);

  test('moves only what goes to the task that was added', () => {
    const moved = keys.filter((key) => ownerOf(key, 8) !== ownerOf(key, 9));
    expect(moved.every((key) => ownerOf(key, 9) === 8)).toBe(true);
    expect(moved.length / keys.length).toBeCloseTo(1 / 9, 1);
  });

  test('spreads evenly', () => {
    const counts = Array.from({ length: 8 }, (_, task) => keys.filter((key) => ownerOf(key, 8) === task).length);
    expect(Math.min(...counts)).toBeGreaterThan(180);
  });
});

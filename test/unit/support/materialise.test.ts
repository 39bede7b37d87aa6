// The end-to-end tests trust this comparison, so it has to be seen to find what is wrong.
import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../support/cluster-client.ts';
import { compareStates, type FeedEvent, materialise, serverState } from '../../support/materialise.ts';

function widget(name: string, version: number, spec: unknown = {}): KubernetesObject {
  return {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name, namespace: 'a', uid: `uid-${name}`, resourceVersion: String(version) },
    spec,
  };
}

function event(type: 'add' | 'update' | 'delete', data: KubernetesObject, epoch = 1): FeedEvent {
  const { name = '', resourceVersion = '' } = data.metadata;
  return {
    id: `${type} ${name} ${epoch} ${resourceVersion}`,
    type: `dev.knative.apiserver.resource.${type}`,
    cluster: 'c',
    resource: 'widgets.example.com',
    namespace: 'a',
    name,
    resourceversion: resourceVersion,
    epoch,
    origin: 'watch',
    data,
  };
}

const server = (...objects: KubernetesObject[]) => serverState('c', 'widgets.example.com', objects);

describe('a feed', () => {
  test('leads to the objects of the server, whatever the order of keys and managedFields', () => {
    const result = materialise([
      event('add', widget('x', 1)),
      event('add', widget('y', 2)),
      event('delete', widget('y', 3)),
      event('update', widget('x', 4, { p: 1, q: { r: [1, 2], s: 3 } })),
    ]);
    expect(result.faults).toEqual([]);
    const listed = widget('x', 4, { q: { s: 3, r: [1, 2] }, p: 1 });
    const metadata = { managedFields: [{ manager: 'm' }], ...listed.metadata };
    expect(compareStates(result.state, server({ ...listed, metadata }))).toEqual([]);
  });

  test('may repeat an id with the same content, without going back', () => {
    const first = event('add', widget('x', 1));
    const result = materialise([first, event('update', widget('x', 2)), first]);
    expect(result).toMatchObject({ faults: [], redelivered: 1 });
    expect(compareStates(result.state, server(widget('x', 2)))).toEqual([]);
  });

  test('goes on at a lower resourceVersion in the next epoch', () => {
    const result = materialise([event('add', widget('x', 9)), event('update', widget('x', 3), 2)]);
    expect(result.faults).toEqual([]);
  });

  test('may bury in a new epoch what the epoch before knew, at a resourceVersion of that one', () => {
    const buried = event('delete', widget('x', 9), 2);
    const result = materialise([event('add', widget('x', 9)), buried, event('add', widget('x', 3), 2)]);
    expect(result.faults).toEqual([]);
  });

  test.each([
    ['an older state', [event('update', widget('x', 2)), event('add', widget('x', 1))], 'came after 1/2'],
    ['an older epoch', [event('add', widget('x', 1), 2), event('update', widget('x', 5))], 'came after 2/1'],
    [
      'an id with other content',
      [event('add', widget('x', 1)), event('add', widget('x', 1, { p: 1 }))],
      'other content',
    ],
    [
      'managedFields',
      [event('add', { ...widget('x', 1), metadata: { ...widget('x', 1).metadata, managedFields: [] } })],
      'has managedFields',
    ],
  ])('with %s is at fault', (_, events, fault) => {
    expect(materialise(events).faults).toEqual([expect.stringContaining(fault)]);
  });
});

describe('a difference', () => {
  const feed = materialise([event('add', widget('x', 1, { p: 1 }))]).state;

  test.each([
    ['a missing object', server(widget('x', 1, { p: 1 }), widget('y', 2)), 'c widgets.example.com a/y: on the server'],
    ['an object too many', server(), 'c widgets.example.com a/x: in the feed'],
    ['another field', server(widget('x', 1, { p: 2 })), '"p":2'],
    ['another resourceVersion', server(widget('x', 2, { p: 1 })), '"resourceVersion":"2"'],
    ['a field too many', server(widget('x', 1, { p: 1, q: null })), '"q":null'],
  ])('is found: %s', (_, listed, told) => {
    expect(compareStates(feed, listed)).toEqual([expect.stringContaining(told)]);
  });
});

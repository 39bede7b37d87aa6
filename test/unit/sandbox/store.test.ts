// The database under the API: order, snapshots, history.
import { describe, expect, test } from 'vitest';
import type { Collection } from '../../../lib/sandbox/collection.ts';
import { compareKeys, type KubeObject, parseVersion } from '../../../lib/sandbox/object.ts';
import { Store } from '../../../lib/sandbox/store.ts';

function object(name: string, size: number): KubeObject {
  const metadata = { name, uid: `uid-${name}`, creationTimestamp: '2026-01-01T00:00:00Z' };
  return { apiVersion: 'example.com/v1', kind: 'Widget', metadata, spec: { size } };
}

function filled(limit = 100): { store: Store; widgets: Collection } {
  const store = new Store({ historyLimit: limit });
  const widgets = store.collection('example.com/widgets', true);
  store.put(widgets, object('b', 1));
  store.put(widgets, object('a', 1));
  return { store, widgets };
}

const state = (objects: readonly { text: string }[] | undefined): unknown =>
  objects?.map(({ text }) => {
    const { metadata, spec } = JSON.parse(text) as KubeObject;
    return [metadata.name, (spec as { size: number }).size];
  });

describe('a collection', () => {
  test('lists in the order of UTF-8 bytes, whatever the order of writes', () => {
    const { widgets } = filled();
    expect(state(widgets.current())).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
    // By UTF-16 the emoji, a pair of surrogates, would come before U+FF01.
    expect(['\u{1F984}', '！', 'z', 'team-a/x', 'team-a-b/x'].sort(compareKeys)).toEqual([
      'team-a-b/x',
      'team-a/x',
      'z',
      '！',
      '\u{1F984}',
    ]);
  });

  test('shows any earlier state that its history reaches, and none before', () => {
    const { store, widgets } = filled();
    const then = store.revision;
    store.put(widgets, object('a', 2));
    store.put(widgets, object('c', 1));
    const [, b] = widgets.current();
    if (b !== undefined) store.remove(widgets, b);
    expect(state(widgets.at(then))).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
    expect(state(widgets.at(then + 1))).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
    expect(state(widgets.current())).toEqual([
      ['a', 2],
      ['c', 1],
    ]);
    store.compact(then + 1);
    expect(widgets.at(then)).toBeUndefined();
    expect(state(widgets.at(then + 1))).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
  });

  test('writes the resourceVersion of the deletion into the last state', () => {
    const { store, widgets } = filled();
    const [a] = widgets.current();
    if (a === undefined) throw new Error('there is no object');
    const deleted = store.remove(widgets, a);
    expect(deleted.revision).toBe(store.revision);
    expect(parseVersion(deleted).metadata.resourceVersion).toBe(String(store.revision));
  });

  test('forgets the oldest events beyond its limit, and says from where on it remembers', () => {
    const { store, widgets } = filled(8);
    for (let size = 0; size < 50; size++) store.put(widgets, object('a', size));
    expect(widgets.history.end - widgets.history.first).toBeLessThanOrEqual(10);
    expect(widgets.at(widgets.history.floor - 1)).toBeUndefined();
    expect(widgets.at(widgets.history.floor)).toBeDefined();
  });
});

test('a restored backup takes the counter back, and positions of history still never repeat', () => {
  const { store, widgets } = filled();
  const backup = store.snapshot();
  store.put(widgets, object('c', 1));
  store.put(widgets, object('a', 9));
  const end = widgets.history.end;
  store.restore(backup);
  expect(store.revision).toBe(backup.revision);
  expect(state(widgets.current())).toEqual([
    ['a', 1],
    ['b', 1],
  ]);
  expect(widgets.history.end).toBe(end);
  store.put(widgets, object('d', 1));
  expect(widgets.history.at(end)?.object.name).toBe('d');
  expect(widgets.history.after(backup.revision)).toBe(end);
});

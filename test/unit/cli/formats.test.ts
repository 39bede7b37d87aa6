// How changes are printed: each line says what is its own, whatever it shares with the line before.
import { describe, expect, test } from 'vitest';
import { formatOf } from '../../../lib/cli/tail/formats.ts';
import { resourceVersion } from '../../../lib/model/resource-version.ts';
import type { Revision } from '../../../lib/model/revision.ts';
import { clusterId, type StreamRef } from '../../../lib/model/stream.ts';

const stream = (cluster: string, plural: string): StreamRef => ({
  cluster: clusterId(cluster),
  group: 'example.com',
  plural,
  selector: {},
});
const routes = stream('c-1', 'routes');
const gates = stream('c-2', 'gates');

function revision(n: number, own: Partial<Revision>): Revision {
  return {
    stream: routes,
    epoch: 1,
    sequence: n,
    position: n,
    previous: 0,
    type: 'update',
    origin: 'watch',
    namespace: 'ns',
    name: 'a',
    uid: 'uid',
    resourceVersion: resourceVersion(String(n)),
    asOf: resourceVersion(String(n)),
    apiVersion: 'example.com/v1',
    kind: 'Route',
    manager: 'm',
    observedAt: Date.UTC(2026, 0, 1) + n,
    object: Buffer.from(`{"n":${n}}`),
    ...own,
  };
}

function parse(page: string | Uint8Array): Record<string, unknown>[] {
  const text = typeof page === 'string' ? page : Buffer.from(page).toString();
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('-o json', () => {
  test('neighbours differ in cluster, resource, manager and time, and each line says its own', () => {
    const format = formatOf('json', ({ cluster }) => (cluster === 'c-1' ? 'größe "1"' : undefined));
    const lines = parse(
      format([
        revision(1, {}),
        revision(2, { stream: gates, manager: 'k"8', observedAt: Date.UTC(2026, 0, 1) + 1 }),
        revision(3, { stream: gates, manager: '' }),
        revision(4, { manager: 'k"8' }),
      ]),
    );
    expect(
      lines.map(({ cluster, clusterName, resource, manager, time }) => [cluster, clusterName, resource, manager, time]),
    ).toEqual([
      ['c-1', 'größe "1"', 'routes.example.com', 'm', '2026-01-01T00:00:00.001Z'],
      ['c-2', undefined, 'gates.example.com', 'k"8', '2026-01-01T00:00:00.001Z'],
      ['c-2', undefined, 'gates.example.com', undefined, '2026-01-01T00:00:00.003Z'],
      ['c-1', 'größe "1"', 'routes.example.com', 'k"8', '2026-01-01T00:00:00.004Z'],
    ]);
    expect(lines.map(({ object }) => object)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]);
  });

  test('a cluster whose name came to be known meanwhile is called by it', () => {
    let name: string | undefined;
    const format = formatOf('json', () => name);
    expect(parse(format([revision(1, {})]))[0]).not.toHaveProperty('clusterName');
    name = 'prod';
    expect(parse(format([revision(2, {})]))[0]).toHaveProperty('clusterName', 'prod');
  });

  test('a short page after a long one has nothing of it left', () => {
    const format = formatOf('json', () => 'prod');
    format([revision(1, { object: Buffer.from(`"${'x'.repeat(5000)}"`) })]);
    expect(parse(format([revision(2, {})]))).toMatchObject([{ position: 2, object: { n: 2 } }]);
  });
});

// Watches against what a real API server streamed while an object lived: created, changed, moved out of selectors and
// back, held by a finalizer, deleted. Compared line by line; only late bookmarks, which depend on the clock, are left out.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sandbox } from '../../../lib/sandbox/sandbox.ts';
import { recordedExchange, recordings } from '../../support/recordings.ts';
import { normalised, recordedCluster, replay, version } from './recorded-cluster.ts';

const streams = [
  'watch-from-rv',
  'watch-from-rv-no-bookmarks',
  'watch-single-object',
  'watchlist-namespaced',
  'watchlist-label-selector',
  'watchlist-field-selector-color',
  'watchlist-metadata-only',
  'watchlist-table',
  'watchlist-v1beta1',
  'watchlist-empty-collection',
];

describe.skipIf(recordings === undefined)('a stream has the lines that were recorded (MK8S_RECORDINGS)', () => {
  let sandbox: Sandbox;
  let bodies: Map<string, string>;

  beforeAll(async () => {
    sandbox = await recordedCluster();
    const widgets = { group: 'example.com', plural: 'widgets', namespace: 'team-a' };
    const client = sandbox.client.as('wire-recorder');
    client.patch({ ...widgets, name: 'w-03' }, { metadata: { annotations: { bump: '1' } } });
    const present = `resourceVersion=${client.resourceVersion}&`;
    const fix = (text: string): string =>
      text.replace(/resourceVersion=\d+&/, present).replace(/timeoutSeconds=\d+/, 'timeoutSeconds=600');
    const answers = streams.map((name) => replay(sandbox, `50-watch/${name}`, { admin: sandbox.token }, fix));
    await sandbox.control.watches(streams.length);
    live(sandbox);
    sandbox.control.endWatches();
    bodies = new Map((await Promise.all(answers)).map(({ body }, index) => [streams[index] ?? '', body]));
  });
  afterAll(() => sandbox?.stop());

  test.each(streams)('%s', (name) => {
    const recorded = recordedExchange(`${version}/50-watch/${name}`).response.body.toString('utf8');
    expect(linesOf(bodies.get(name) ?? '')).toEqual(linesOf(recorded));
  });
});

/** The writes of LIVE-EVENTS.json. */
function live({ client: any }: Sandbox): void {
  const client = any.as('wire-recorder');
  const collection = { group: 'example.com', plural: 'widgets', namespace: 'team-a' };
  const one = { ...collection, name: 'live-1' };
  const kind = { apiVersion: 'example.com/v1', kind: 'Widget' };
  client.create(collection, {
    ...kind,
    metadata: { name: 'live-1', labels: { tier: 'gold' } },
    spec: { size: 1, color: 'red' },
  });
  client.patch(one, { status: { phase: 'Ready', observedGeneration: 1 } }, 'status');
  client.patch(one, { metadata: { labels: { tier: 'silver' } } });
  client.patch(one, { spec: { size: 2 } });
  client.patch(one, { spec: { color: 'blue' } });
  const same = client.get(one);
  if (same !== undefined) client.replace(one, same);
  client.patch(one, { metadata: { labels: { tier: 'gold' } } });
  client.patch(one, { metadata: { finalizers: ['example.com/hold'] } });
  client.delete(one);
  client.patch(one, { metadata: { finalizers: null } });
  const note = 'ďábelské ódy 🦄 \u2029 <&>';
  client.create(collection, { ...kind, metadata: { name: 'live-2' }, spec: { size: 3, note } });
  client.delete({ ...collection, name: 'live-2' });
}

/** Without managedFields (their order depends on the second) and without late bookmarks. */
function linesOf(body: string): string[] {
  return body
    .split('\n')
    .filter((line) => line !== '' && !(line.startsWith('{"type":"BOOKMARK"') && !line.includes('initial-events-end')))
    .map((line) =>
      normalised(JSON.stringify(JSON.parse(line), (key, value) => (key === 'managedFields' ? undefined : value))),
    );
}

import { describe, expect, test } from 'vitest';
import { LIMITS, pubsubMessage } from '../../../lib/adapters/google/pubsub-message.ts';
import { changeId, type Revision } from '../../../lib/model/revision.ts';
import { clusterId } from '../../../lib/model/stream.ts';
import { pubsubEvent } from '../../support/pubsub-event.ts';
import { widgetRevision } from '../../support/sink-revision.ts';

const widget = widgetRevision(17, 'web');

function large(bytes: number): string {
  return JSON.stringify({ metadata: { name: 'web' }, text: 'x'.repeat(bytes) });
}

describe('a change as a Pub/Sub message', () => {
  test('is in binary mode: the attributes of the event with a prefix, and the bytes of the object as data', () => {
    const { data, attributes } = pubsubMessage(widget);
    expect(data?.equals(widget.object)).toBe(true);
    expect(attributes).toEqual({
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': changeId(clusterId('c-1'), 1, 'uid-of-web', widget.resourceVersion, 'update'),
      'ce-source': '//c-1',
      'ce-type': 'dev.knative.apiserver.resource.update',
      'ce-subject': '/apis/example.com/v1/namespaces/team-a/widgets/web',
      'ce-time': '2026-01-01T00:00:00.000Z',
      'ce-kind': 'Widget',
      'ce-apiversion': 'example.com/v1',
      'ce-resource': 'widgets.example.com',
      'ce-name': 'web',
      'ce-namespace': 'team-a',
      'ce-cluster': 'c-1',
      'ce-resourceversion': '117',
      'ce-epoch': '1',
      'ce-origin': 'watch',
      'ce-manager': 'kubectl',
      cluster: 'c-1',
      group: 'example.com',
      version: 'v1',
      resource: 'widgets',
      namespace: 'team-a',
      name: 'web',
      type: 'update',
      origin: 'watch',
    });
  });

  test('has no attribute for what is empty, so that filters can ask whether it is there', () => {
    const stream = { ...widget.stream, group: '', plural: 'nodes' };
    const { attributes } = pubsubMessage({ ...widget, stream, apiVersion: 'v1', kind: 'Node', namespace: '' });
    expect(attributes).toMatchObject({ version: 'v1', resource: 'nodes', 'ce-resource': 'nodes' });
    for (const name of ['group', 'namespace', 'ce-namespace']) expect(attributes).not.toHaveProperty(name);
  });

  test('says how large it is, never less than what is sent', async () => {
    const { protos } = await import('@google-cloud/pubsub');
    const { data, attributes, bytes } = pubsubMessage(widgetRevision(1, 'ö 😀'));
    const orderingKey = 'f'.repeat(20);
    const messages = [{ attributes, orderingKey, ...(data === undefined ? {} : { data }) }];
    const sent = protos.google.pubsub.v1.PublishRequest.encode({ messages }).finish().byteLength;
    expect(bytes).toBeGreaterThanOrEqual(sent);
    expect(bytes - sent).toBeLessThan(400);
  });
});

describe('a change that Pub/Sub would refuse', () => {
  test('carries a reference to its revision instead of data where it would be over 10 MB', () => {
    const largest = pubsubMessage(widgetRevision(17, 'web', { object: large(9_990_000) }));
    expect(largest.data?.byteLength).toBeGreaterThan(9_990_000);
    expect(largest.attributes).not.toHaveProperty('ce-dataref');
    const { data, attributes, bytes } = pubsubMessage(widgetRevision(17, 'web', { object: large(10_000_000) }));
    expect(data).toBeUndefined();
    expect(attributes['ce-dataref']).toBe('mk8s://c-1/widgets.example.com#17');
    expect(attributes['ce-id']).toBe(largest.attributes['ce-id']);
    expect(attributes['resource']).toBe('widgets');
    expect(bytes).toBeLessThan(2_000);
  });

  test('counts the attributes too: what only they bring over the limit is replaced', () => {
    const empty = pubsubMessage(widget).bytes - widget.object.byteLength;
    const object = `"${'x'.repeat(LIMITS.messageBytes - empty - 2)}"`;
    expect(pubsubMessage({ ...widget, object: Buffer.from(object) }).data).toBeDefined();
    expect(pubsubMessage({ ...widget, object: Buffer.from(`${object} `) }).data).toBeUndefined();
  });

  test('goes out in structured mode, whole, where an attribute would be over 1024 bytes', () => {
    // Names of RBAC objects are path segments of any length.
    const name = 'ö'.repeat(600);
    const revision: Revision = widgetRevision(17, name);
    const { data, attributes } = pubsubMessage(revision);
    expect(attributes['content-type']).toBe('application/cloudevents+json; charset=utf-8');
    expect(attributes).not.toHaveProperty('name');
    expect(attributes).toMatchObject({ resource: 'widgets', namespace: 'team-a', type: 'update' });
    for (const value of Object.values(attributes)) expect(Buffer.byteLength(value)).toBeLessThanOrEqual(1_024);
    const event = pubsubEvent({ data: data ?? Buffer.alloc(0), attributes });
    expect(event).toMatchObject({ specversion: '1.0', name, epoch: 1, datacontenttype: 'application/json' });
    expect(event.data).toEqual({ metadata: { name } });
  });

  test('is small in structured mode too where both are too large', () => {
    const name = 'n'.repeat(1_100);
    const { data, attributes } = pubsubMessage(widgetRevision(17, name, { object: large(10_000_000) }));
    const event = pubsubEvent({ data: data ?? Buffer.alloc(0), attributes });
    expect(event).toMatchObject({ name, dataref: 'mk8s://c-1/widgets.example.com#17' });
    expect(event).not.toHaveProperty('data');
  });
});

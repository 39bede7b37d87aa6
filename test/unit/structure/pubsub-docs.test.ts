// The examples of docs/pubsub.md: filters that match what is published, Terraform that parses, and the number of lanes.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LANES } from '../../../lib/adapters/google/pubsub-lanes.ts';
import { pubsubMessage } from '../../../lib/adapters/google/pubsub-message.ts';
import type { Revision } from '../../../lib/model/revision.ts';
import { clusterId } from '../../../lib/model/stream.ts';
import { matchesFilter } from '../../support/pubsub-filter.ts';
import { widgetRevision } from '../../support/sink-revision.ts';

// Required, not imported: its types would bring those of a browser into every file.
const require = createRequire(import.meta.url);
const hcl = require('@cdktf/hcl2json') as { parse(file: string, text: string): Promise<unknown> };

const page = readFileSync(resolve(import.meta.dirname, '../../../docs/pubsub.md'), 'utf8');
const block = (language: string): string =>
  new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(page)?.[1] ?? expect.fail(`no ${language} in docs/pubsub.md`);

const web = 'projects/shop-prod/locations/europe-west1/clusters/web';

function revisionOf(group: string, plural: string, more: Partial<Revision> = {}): Revision {
  const stream = { cluster: clusterId(web), group, plural, selector: {} };
  return { ...widgetRevision(1, 'a'), apiVersion: `${group}/v1`, stream, ...more };
}

const route = revisionOf('gateway.networking.k8s.io', 'httproutes', { type: 'delete', namespace: 'payments' });
const gateway = revisionOf('networking.istio.io', 'gateways', { origin: 'snapshot' });
const gatewayClass = revisionOf('gateway.networking.k8s.io', 'gatewayclasses', { namespace: '' });
const large = { ...gateway, object: Buffer.alloc(10_000_000, 0x20) };
const elsewhere = { ...gateway, stream: { ...gateway.stream, cluster: clusterId('2f7c') } };

describe('docs/pubsub.md', () => {
  test('has filters of which each matches what it says, and not everything', () => {
    const matching = block('text')
      .trim()
      .split('\n')
      .map((filter) =>
        [route, gateway, gatewayClass, large, elsewhere].map((revision) =>
          matchesFilter(filter, pubsubMessage(revision).attributes),
        ),
      );
    expect(matching).toEqual([
      [true, false, false, false, false],
      [true, true, true, true, false],
      [true, true, true, true, false],
      [true, false, false, false, false],
      [false, true, false, true, true],
      [false, false, true, false, false],
      [false, false, false, true, false],
    ]);
  });

  test('has the same filter for gcloud and for Terraform, which parses', async () => {
    const [, filter = ''] = /--message-filter '(.*?)'/.exec(page) ?? [];
    expect(matchesFilter(filter, pubsubMessage(route).attributes)).toBe(true);
    expect(matchesFilter(filter, pubsubMessage(gateway).attributes)).toBe(false);
    const terraform = (await hcl.parse('pubsub.tf', block('hcl'))) as {
      resource: { google_pubsub_subscription: { routes: [{ filter: string; enable_message_ordering: boolean }] } };
    };
    const [subscription] = terraform.resource.google_pubsub_subscription.routes;
    expect(subscription).toMatchObject({ filter, enable_message_ordering: true });
  });

  test('says how many lanes there are, and how many attributes a message has', () => {
    expect(page).toContain(`among ${LANES} *lanes*`);
    const { attributes } = pubsubMessage({ ...large, manager: 'kubectl' });
    expect(page).toContain(`these are at most ${Object.keys(attributes).length}.`);
  });
});

// What every InventoryStore must do.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClusterInfo } from '../../lib/model/cluster.ts';
import { clusterId } from '../../lib/model/stream.ts';
import type { InventoryStore } from '../../lib/ports/inventory-store.ts';

interface Subject {
  readonly inventory: InventoryStore;
  close(): Promise<void>;
}

function cluster(name: string, options: Partial<ClusterInfo> = {}): ClusterInfo {
  const server = `https://${name}.example.com`;
  return { name, aliases: [], sources: ['kubeconfig'], server, namespace: 'default', isDefault: false, ...options };
}

export function describeInventoryStore(name: string, make: () => Promise<Subject>): void {
  describe(`InventoryStore: ${name}`, () => {
    let subject: Subject;
    let store: InventoryStore;
    beforeEach(async () => {
      subject = await make();
      store = subject.inventory;
    });
    afterEach(() => subject.close());

    test('knows nothing at first', async () => {
      expect(await store.read()).toBeUndefined();
    });

    test('gives back what was written last, as a whole', async () => {
      const full = cluster('full', {
        id: clusterId('0b5f'),
        aliases: ['other'],
        labels: { env: 'prod' },
        certificateAuthority: '-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n',
      });
      await store.write({ clusters: [cluster('gone'), full], at: 1 });
      await store.write({ clusters: [full, cluster('ünïcode "quoted"', { error: 'refused' })], at: 2 });
      expect(await store.read()).toEqual({
        clusters: [full, cluster('ünïcode "quoted"', { error: 'refused' })],
        at: 2,
      });
    });

    test('keeps an inventory without a cluster apart from none', async () => {
      await store.write({ clusters: [], at: 3 });
      expect(await store.read()).toEqual({ clusters: [], at: 3 });
    });
  });
}

// Keeps the store's inventory as the run sees it: written when it changed, one write at a time, the last state last.
import type { ClusterInfo } from '../model/cluster.ts';
import { messageOf } from '../model/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { InventoryStore } from '../ports/inventory-store.ts';
import type { Report } from '../ports/reporter.ts';

export interface InventoryKeeper {
  /** Takes what is there now. Waits for nothing; a failed write is reported and ends nothing. */
  keep(clusters: readonly ClusterInfo[]): void;
  /** Resolves when what was taken is written. */
  settled(): Promise<void>;
}

export function inventoryKeeper(store: InventoryStore, clock: Pick<Clock, 'now'>, report: Report): InventoryKeeper {
  let written = '';
  let next: readonly ClusterInfo[] | undefined;
  let writing: Promise<void> | undefined;

  async function writeAll(): Promise<void> {
    // `writing` is set before anything is done, and so unset after it.
    await Promise.resolve();
    while (next !== undefined) {
      const clusters = next;
      next = undefined;
      const text = JSON.stringify(clusters);
      if (text === written) continue;
      try {
        await store.write({ clusters, at: clock.now() });
        written = text;
      } catch (error) {
        const message = `Cannot keep the inventory for lists: ${messageOf(error)}. It is tried again when it changes`;
        report({ severity: 'WARNING', message });
      }
    }
    writing = undefined;
  }

  return {
    keep(clusters) {
      next = clusters;
      writing ??= writeAll();
    },
    settled: async () => await writing,
  };
}

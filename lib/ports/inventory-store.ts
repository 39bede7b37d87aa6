// The inventory as a run last saw it, for those who list clusters without looking for them: a list then needs no discovery.
import type { ClusterInfo } from '../model/cluster.ts';

/** Plain data that survives JSON: stores keep it as one document. */
export interface KeptInventory {
  readonly clusters: readonly ClusterInfo[];
  /** When the clusters were seen so, milliseconds since 1970. */
  readonly at: number;
}

export interface InventoryStore {
  /** Replaces what was kept, as a whole. Losing it loses nothing: the next run writes it again. */
  write(inventory: KeptInventory): Promise<void>;
  /** Undefined where nothing was written yet. */
  read(): Promise<KeptInventory | undefined>;
}

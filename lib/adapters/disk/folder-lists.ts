// What lists need of a data folder, and nothing else of it: the inventory and how streams stand. A function that lists clusters
// starts with it, and the rest of the folder's code takes longer to load than all that it does.
import { resolve } from 'node:path';
import type { InventoryStore } from '../../ports/inventory-store.ts';
import type { StatusStore } from '../../ports/status-store.ts';
import { openDatabase } from './database.ts';
import { createDiskInventory } from './disk-inventory.ts';
import { createDiskStatus } from './disk-status.ts';

export interface FolderLists {
  readonly inventory: Pick<InventoryStore, 'read'>;
  readonly status: Pick<StatusStore, 'read'>;
  close(): void;
}

/** Opens a folder that a run writes, for reading. Throws Mk8sError `storage`. */
export function openFolderLists(path: string): FolderLists {
  const database = openDatabase(resolve(path), true);
  return {
    inventory: createDiskInventory(database),
    status: createDiskStatus(database),
    close: () => database.close(),
  };
}

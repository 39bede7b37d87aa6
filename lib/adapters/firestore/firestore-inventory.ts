// The clusters as a run last saw them, in Firestore, for those who list them without looking for them.
import type { InventoryStore, KeptInventory } from '../../ports/inventory-store.ts';
import type { Documents } from './documents.ts';
import { packedWrites, unpacked } from './packed.ts';

/** All tasks of a job see the same clusters: the last one's word counts. */
const PATH = 'inventory/clusters';

export function firestoreInventory(documents: Documents): InventoryStore {
  return {
    write: async (inventory) => void (await documents.commit(packedWrites(PATH, inventory))),
    async read() {
      const [found] = await documents.get([PATH]);
      return found && ((await unpacked(documents, found)) as KeptInventory);
    },
  };
}

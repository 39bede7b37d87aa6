// The clusters as a run last saw them, for `mk8s serve` in another process.
import type { InventoryStore, KeptInventory } from '../../ports/inventory-store.ts';
import type { Database } from './database.ts';

/** Made at the first write: a folder of an earlier version has none, and whoever only reads may not make one. */
const table = 'CREATE TABLE IF NOT EXISTS inventory (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL) STRICT';
const isThere = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'inventory'";

export function createDiskInventory(database: Database): InventoryStore {
  const { sql } = database;
  return {
    async write(inventory) {
      database.write('write the inventory', () => {
        sql.exec(table);
        sql.prepare('INSERT OR REPLACE INTO inventory VALUES (1, ?)').run(JSON.stringify(inventory));
      });
    },
    async read() {
      return database.read('read the inventory', () => {
        if (sql.prepare(isThere).get() === undefined) return undefined;
        const json = sql.prepare('SELECT json FROM inventory').get()?.['json'];
        return json === undefined ? undefined : (JSON.parse(String(json)) as KeptInventory);
      });
    },
  };
}

// The one row of the `log` table.
import { checksum, mustMatch } from './checksum.ts';
import type { Database } from './database.ts';

/** What the columns are: see schema.ts. */
export interface LogRow {
  readonly position: number;
  readonly removed: number;
  readonly retained: number;
}

export interface LogRowTable {
  read(): LogRow;
  /** Inside a write. */
  save(row: LogRow): void;
}

export function createLogRow({ sql, folder }: Database): LogRowTable {
  const get = sql.prepare('SELECT position, removed, retained, crc FROM log');
  const put = sql.prepare('UPDATE log SET position = ?, removed = ?, retained = ?, crc = ?');
  return {
    read() {
      const found = get.get() as (LogRow & { crc: number }) | undefined;
      const { position = -1, removed = -1, retained = -1, crc = -1 } = found ?? {};
      mustMatch(crc, checksum(position, removed, retained), folder, 'read where the log ends', 'its row');
      return { position, removed, retained };
    },
    save: ({ position, removed, retained }) =>
      void put.run(position, removed, retained, checksum(position, removed, retained)),
  };
}

// Cursors of named subscriptions in a data folder.
import type { Clock } from '../../ports/clock.ts';
import type { Subscription, SubscriptionStore } from '../../ports/feed.ts';
import { checksum, mustMatch } from './checksum.ts';
import type { Database } from './database.ts';

export function createDiskSubscriptions(database: Database, clock: Clock): SubscriptionStore {
  const { sql } = database;
  const columns = 'name, position, updated_at AS updatedAt, crc';
  const get = sql.prepare(`SELECT ${columns} FROM subscription WHERE name = ?`);
  const list = sql.prepare(`SELECT ${columns} FROM subscription ORDER BY name`);
  const put = sql.prepare('INSERT OR REPLACE INTO subscription VALUES (?, ?, ?, ?)');
  const remove = sql.prepare('DELETE FROM subscription WHERE name = ?');
  const plain = ({ crc, ...found }: Subscription & { crc: number }): Subscription => {
    const computed = checksum(found.name, found.position);
    mustMatch(crc, computed, database.folder, 'read a subscription', 'the row of a subscription');
    return found;
  };
  const find = (name: string): Subscription | undefined => {
    const found = get.get(name) as (Subscription & { crc: number }) | undefined;
    return found && plain(found);
  };

  return {
    async get(name) {
      return database.read('read a subscription', () => find(name));
    },
    async acknowledge(name, position, { rewind = false } = {}) {
      database.write('move a subscription', () => {
        const to = rewind ? position : Math.max(position, find(name)?.position ?? 0);
        put.run(name, to, clock.now(), checksum(name, to));
      });
    },
    async list() {
      return database.read('list subscriptions', () =>
        (list.all() as unknown as (Subscription & { crc: number })[]).map(plain),
      );
    },
    async delete(name) {
      database.write('delete a subscription', () => remove.run(name));
    },
  };
}

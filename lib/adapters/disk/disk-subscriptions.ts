// Cursors of named subscriptions in a data folder.
import type { Clock } from '../../ports/clock.ts';
import type { Subscription, SubscriptionStore } from '../../ports/feed.ts';
import type { Database } from './database.ts';

export function createDiskSubscriptions(database: Database, clock: Clock): SubscriptionStore {
  const { sql } = database;
  const columns = 'name, position, updated_at AS updatedAt';
  const get = sql.prepare(`SELECT ${columns} FROM subscription WHERE name = ?`);
  const list = sql.prepare(`SELECT ${columns} FROM subscription ORDER BY name`);
  const put = sql.prepare(`INSERT INTO subscription VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET
    position = CASE WHEN ?4 THEN excluded.position ELSE max(position, excluded.position) END,
    updated_at = excluded.updated_at`);
  const remove = sql.prepare('DELETE FROM subscription WHERE name = ?');
  const plain = (found: Subscription): Subscription => ({ ...found });

  return {
    async get(name) {
      const found = database.read('read a subscription', () => get.get(name) as Subscription | undefined);
      return found && plain(found);
    },
    async acknowledge(name, position, { rewind = false } = {}) {
      database.write('move a subscription', () => put.run(name, position, clock.now(), Number(rewind)));
    },
    async list() {
      return database.read('list subscriptions', () => list.all() as unknown as Subscription[]).map(plain);
    },
    async delete(name) {
      database.write('delete a subscription', () => remove.run(name));
    },
  };
}

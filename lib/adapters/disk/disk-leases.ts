// Leases of a data folder (promise 6).
import type { Clock } from '../../ports/clock.ts';
import type { Holder, Lease, LeaseStore, Machine } from '../../ports/lease-store.ts';
import type { Database } from './database.ts';

interface Stored {
  readonly fence: number;
  /** JSON of the holder; null where it was given back. */
  readonly holder: string | null;
  readonly expires_at: number;
}

export function createDiskLeases(database: Database, clock: Clock, { host, isAlive }: Machine): LeaseStore {
  const { sql } = database;
  const get = sql.prepare('SELECT fence, holder, expires_at FROM lease WHERE name = ?');
  const put = sql.prepare(
    'INSERT OR REPLACE INTO lease (name, fence, holder, holder_id, expires_at) VALUES (?, ?, ?, ?, ?)',
  );
  const extend = sql.prepare('UPDATE lease SET expires_at = ? WHERE name = ? AND holder_id = ? AND fence = ?');
  const giveBack = sql.prepare(
    'UPDATE lease SET holder = NULL, holder_id = NULL WHERE name = ? AND holder_id = ? AND fence = ?',
  );

  return {
    async acquire(name, holder, ttlMs) {
      return database.write(`take the lease "${name}"`, () => {
        const now = clock.now();
        const stored = get.get(name) as Stored | undefined;
        const owner = stored?.holder == null ? undefined : (JSON.parse(stored.holder) as Holder);
        const isMine = owner?.id === holder.id;
        if (stored !== undefined && owner !== undefined && !isMine) {
          const isDead = owner.host === host && !isAlive(owner.pid);
          if (stored.expires_at > now && !isDead) {
            return { acquired: false, holder: owner, expiresAt: stored.expires_at } as const;
          }
        }
        const lease: Lease = { name, fence: (stored?.fence ?? 0) + (isMine ? 0 : 1), expiresAt: now + ttlMs };
        put.run(name, lease.fence, JSON.stringify(holder), holder.id, lease.expiresAt);
        return { acquired: true, lease } as const;
      });
    },
    async renew(leases, holder, ttlMs) {
      return database.write('renew leases', () => {
        const until = clock.now() + ttlMs;
        const lost = leases.filter(({ name, fence }) => extend.run(until, name, holder.id, fence).changes === 0);
        return lost.map((lease) => lease.name);
      });
    },
    async release(leases, holder) {
      database.write('give leases back', () => {
        for (const { name, fence } of leases) giveBack.run(name, holder.id, fence);
      });
    },
  };
}

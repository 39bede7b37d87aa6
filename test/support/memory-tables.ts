// The stores of `memory-store.ts` that are a table each: subscriptions, leases, status, dead letters.
import { type StreamKey, streamKey } from '../../lib/model/stream.ts';
import type { StreamStatus } from '../../lib/model/stream-status.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { DeadLetter, DeadLetterStore } from '../../lib/ports/event-sink.ts';
import type { Subscription, SubscriptionStore } from '../../lib/ports/feed.ts';
import type { InventoryStore, KeptInventory } from '../../lib/ports/inventory-store.ts';
import type { Holder, LeaseStore } from '../../lib/ports/lease-store.ts';
import type { RunStatus, StatusStore } from '../../lib/ports/status-store.ts';

const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

export function memorySubscriptions(clock: Clock): SubscriptionStore {
  const rows = new Map<string, Subscription>();
  return {
    get: async (name) => rows.get(name),
    async acknowledge(name, position, { rewind = false } = {}) {
      const before = rows.get(name)?.position ?? 0;
      rows.set(name, { name, position: rewind ? position : Math.max(before, position), updatedAt: clock.now() });
    },
    list: async () => [...rows.values()].sort((a, b) => bytewise(a.name, b.name)),
    async delete(name) {
      rows.delete(name);
    },
  };
}

export function memoryLeases(clock: Clock, host: string, isAlive: (pid: number) => boolean): LeaseStore {
  const rows = new Map<string, { fence: number; holder: Holder | undefined; expiresAt: number }>();
  const owned = (name: string, fence: number, holder: Holder) => {
    const row = rows.get(name);
    return row?.holder?.id === holder.id && row.fence === fence ? row : undefined;
  };
  return {
    async acquire(name, holder, ttlMs) {
      const row = rows.get(name);
      const owner = row?.holder;
      const mine = owner?.id === holder.id;
      const gone = !owner || row.expiresAt <= clock.now() || (owner.host === host && !isAlive(owner.pid));
      if (owner && !mine && !gone) return { acquired: false, holder: owner, expiresAt: row.expiresAt };
      const fence = (row?.fence ?? 0) + (mine ? 0 : 1);
      const expiresAt = clock.now() + ttlMs;
      rows.set(name, { fence, holder, expiresAt });
      return { acquired: true, lease: { name, fence, expiresAt } };
    },
    async renew(leases, holder, ttlMs) {
      const lost: string[] = [];
      for (const { name, fence } of leases) {
        const row = owned(name, fence, holder);
        if (row) row.expiresAt = clock.now() + ttlMs;
        else lost.push(name);
      }
      return lost;
    },
    async release(leases, holder) {
      for (const { name, fence } of leases) {
        const row = owned(name, fence, holder);
        if (row) row.holder = undefined;
      }
    },
  };
}

export function memoryStatus(): StatusStore {
  let last: RunStatus | undefined;
  const rows = new Map<StreamKey, StreamStatus>();
  return {
    async write(run, streams) {
      last = run;
      for (const status of streams) rows.set(streamKey(status.stream), status);
    },
    read: async () => ({ run: last, streams: [...rows.values()] }),
  };
}

export function memoryInventory(): InventoryStore {
  let kept: KeptInventory | undefined;
  return {
    async write(inventory) {
      kept = structuredClone(inventory);
    },
    read: async () => structuredClone(kept),
  };
}

export function memoryDeadLetters(): DeadLetterStore {
  const rows = new Map<string, DeadLetter>();
  return {
    async put(letter) {
      rows.set(`${letter.sink}\n${letter.stream}\n${letter.id}`, letter);
    },
    list: async (limit) => [...rows.values()].sort((a, b) => b.at - a.at).slice(0, limit),
    count: async () => rows.size,
  };
}

// What every LeaseStore must do.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Holder, Lease, LeaseStore } from '../../lib/ports/lease-store.ts';
import type { ManualClock } from '../support/manual-clock.ts';

interface Subject {
  readonly leases: LeaseStore;
  readonly clock: ManualClock;
  close(): Promise<void>;
}

/** What the store under test must be told: the machine it runs on, and which processes of it live. */
export interface LeaseWorld {
  readonly host: string;
  readonly isAlive: (pid: number) => boolean;
}

const ttl = 30_000;
const holder = (id: string, host = 'here', pid = 1): Holder => ({ id, description: `${host}, pid ${pid}`, host, pid });
const first = holder('first');
const second = holder('second', 'elsewhere', 2);

export function describeLeaseStore(name: string, make: (world: LeaseWorld) => Promise<Subject>): void {
  describe(`LeaseStore: ${name}`, () => {
    const dead = new Set<number>();
    let subject: Subject;
    let store: LeaseStore;
    beforeEach(async () => {
      dead.clear();
      subject = await make({ host: 'here', isAlive: (pid) => !dead.has(pid) });
      store = subject.leases;
    });
    afterEach(() => subject.close());

    const take = async (who: Holder, lease = 'stream'): Promise<Lease> => {
      const result = await store.acquire(lease, who, ttl);
      if (!result.acquired) throw new Error(`${who.id} was refused`);
      return result.lease;
    };

    test('promise 6: a free lease is taken, and another holder is told by whom and until when', async () => {
      const lease = await take(first);
      expect(lease).toEqual({ name: 'stream', fence: expect.any(Number), expiresAt: subject.clock.now() + ttl });
      expect(lease.fence).toBeGreaterThan(0);
      expect(await store.acquire('stream', second, ttl)).toEqual({
        acquired: false,
        holder: first,
        expiresAt: lease.expiresAt,
      });
    });

    test('its holder may take it again, with the same fence and a later end', async () => {
      const lease = await take(first);
      subject.clock.advance(10_000);
      expect(await take(first)).toEqual({ ...lease, expiresAt: lease.expiresAt + 10_000 });
    });

    test('promise 6: an expired lease changes owner, with a larger fence', async () => {
      const lease = await take(first);
      subject.clock.advance(ttl);
      const next = await take(second);
      expect(next.fence).toBeGreaterThan(lease.fence);
      expect(await store.renew([lease], first, ttl)).toEqual(['stream']);
      subject.clock.advance(ttl);
      expect((await take(first)).fence).toBeGreaterThan(next.fence);
    });

    test('renewing extends, also when late while nobody else came', async () => {
      const lease = await take(first);
      subject.clock.advance(ttl + 1);
      expect(await store.renew([lease], first, ttl)).toEqual([]);
      subject.clock.advance(ttl - 1);
      expect(await store.acquire('stream', second, ttl)).toMatchObject({ acquired: false });
    });

    test('renewing many says which are lost', async () => {
      const mine = await take(first, 'a');
      const other = await take(second, 'b');
      const gone = { ...mine, name: 'absent' };
      const old = { ...(await take(first, 'c')), fence: 0 };
      expect(await store.renew([mine, other, gone, old], first, ttl)).toEqual(['b', 'absent', 'c']);
    });

    test('a lease that is given back is free at once; the next owner has a larger fence', async () => {
      const lease = await take(first);
      await store.release([lease], first);
      const next = await take(second);
      expect(next.fence).toBeGreaterThan(lease.fence);
    });

    test("giving back leaves others' leases alone", async () => {
      const lease = await take(first);
      await store.release([lease], second);
      await store.release([{ ...lease, fence: lease.fence - 1 }], first);
      expect(await store.acquire('stream', second, ttl)).toMatchObject({ acquired: false, holder: first });
    });

    test('promise 6: a holder that died on this machine is replaced at once', async () => {
      const lease = await take(holder('crashed', 'here', 77));
      expect(await store.acquire('stream', second, ttl)).toMatchObject({ acquired: false });
      dead.add(77);
      expect((await take(second)).fence).toBeGreaterThan(lease.fence);
    });

    test('a holder on another machine is waited for, whatever processes live here', async () => {
      await take(second);
      dead.add(second.pid);
      expect(await store.acquire('stream', first, ttl)).toMatchObject({ acquired: false, holder: second });
    });

    test('leases do not depend on each other', async () => {
      await take(first, 'a');
      await take(second, 'b');
    });
  });
}

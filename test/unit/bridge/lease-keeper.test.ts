// The leases of a run: renewed together, and their work ended when they are lost.
import { describe, expect, test } from 'vitest';
import { createLeaseKeeper, type HeldLease } from '../../../lib/bridge/lease-keeper.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import type { LeaseStore } from '../../../lib/ports/lease-store.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { createScriptedClock, idle } from '../../support/scripted-clock.ts';

const holder = (id: string) => ({ id, description: `${id}, pid 1`, host: 'here', pid: 1 });

function world(more: (leases: LeaseStore) => Partial<LeaseStore> = () => ({})) {
  const clock = createScriptedClock();
  const { leases } = createMemoryStore(clock);
  const reports: string[] = [];
  const report = ({ message }: { message: string }): void => void reports.push(message);
  const stop = new AbortController();
  const keeper = (id: string) =>
    createLeaseKeeper({ leases: { ...leases, ...more(leases) }, holder: holder(id), clock, report });
  async function pass(ms: number): Promise<void> {
    const until = clock.now() + ms;
    while (clock.now() < until) {
      await idle();
      if (!clock.jump()) break;
    }
    await idle();
  }
  return { clock, leases, reports, stop, keeper, pass };
}

const held = (answer: object): HeldLease => {
  expect(answer).toHaveProperty('fence');
  return answer as HeldLease;
};

describe('a lease keeper', () => {
  test('promise 6: keeps others out while it renews, and says who it is', async () => {
    const { stop, keeper, pass } = world();
    const mine = keeper('mine');
    const running = mine.run(stop.signal);
    const lease = held(await mine.acquire('stream/a'));
    await pass(120_000);
    expect(lease.lost.aborted).toBe(false);
    expect(await keeper('other').acquire('stream/a')).toMatchObject({ holder: { description: 'mine, pid 1' } });
    stop.abort();
    await running;
    await lease.release();
    expect(held(await keeper('other').acquire('stream/a')).fence).toBeGreaterThan(lease.fence);
  });

  test('promise 6: ends the work of a lease that another run took over, and of no other', async () => {
    const { clock, leases, stop, keeper, pass } = world();
    const mine = keeper('mine');
    const [a, b] = [held(await mine.acquire('a')), held(await mine.acquire('b'))];
    const asleep = clock.sleep(30_000);
    clock.jump();
    await asleep;
    await leases.acquire('a', holder('other'), 20_000);
    void mine.run(stop.signal);
    await pass(5_000);
    expect(a.lost.reason).toMatchObject({ code: 'fenced' });
    expect(b.lost.aborted).toBe(false);
    stop.abort();
  });

  test('survives a store that fails for a moment, and gives up what could not be renewed in time', async () => {
    let failing = true;
    const { reports, stop, keeper, pass } = world((leases) => ({
      renew: (...given) =>
        failing ? Promise.reject(new Mk8sError('busy', { code: 'storage' })) : leases.renew(...given),
    }));
    const mine = keeper('mine');
    const lease = held(await mine.acquire('a'));
    void mine.run(stop.signal);
    await pass(10_000);
    expect(lease.lost.aborted).toBe(false);
    failing = false;
    await pass(10_000);
    failing = true;
    await pass(12_000);
    expect(lease.lost.aborted).toBe(false);
    await pass(15_000);
    expect(lease.lost.reason).toMatchObject({ code: 'fenced' });
    expect(reports[0]).toContain('busy');
    stop.abort();
  });

  test('does not take a lease for lost that was given back and taken anew while it renewed', async () => {
    const gate = Promise.withResolvers<void>();
    const { stop, keeper } = world((leases) => ({
      async renew(...given) {
        await gate.promise;
        return await leases.renew(...given);
      },
    }));
    const mine = keeper('mine');
    const first = held(await mine.acquire('a'));
    void mine.run(stop.signal);
    await idle();
    await first.release();
    const second = held(await mine.acquire('a'));
    gate.resolve();
    await idle();
    expect(second.lost.aborted).toBe(false);
    stop.abort();
  });
});

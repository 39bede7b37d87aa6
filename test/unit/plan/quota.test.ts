// The quota of a gateway: turns in order, requests at a rate, and nobody who waits for ever.
import { describe, expect, test } from 'vitest';
import { createQuota } from '../../../lib/plan/quota.ts';
import type { ApiServer } from '../../../lib/ports/api-server.ts';
import type { Quota, QuotaPlace, QuotaTurn } from '../../../lib/ports/quota.ts';
import { type FakeAnswer, fakeApiServer, jsonAnswer } from '../../support/fake-api-server.ts';
import { createScriptedClock, idle, settle } from '../../support/scripted-clock.ts';

const never = new AbortController().signal;

function world(streams: number, requestsPerMinute: number, answer: () => FakeAnswer = () => jsonAnswer({})) {
  const clock = createScriptedClock();
  const shared = createQuota('the gateway', { streams, requestsPerMinute }, clock);
  const apis: ApiServer[] = [];
  const cluster = (): ApiServer & { quota: Quota } => {
    const api = shared.open(fakeApiServer(answer)) as ApiServer & { quota: Quota };
    apis.push(api);
    return api;
  };
  return { clock, cluster };
}

const ask = async (api: ApiServer): Promise<number> => (await api.request({ path: '/version' })).status;

describe('turns of watches', () => {
  test('come in the order in which they were asked for, and never more than there are', async () => {
    const { cluster } = world(2, 1_000_000);
    const places = Array.from({ length: 7 }, () => cluster().quota.join());
    const order: number[] = [];
    const held: QuotaTurn[] = [];
    let most = 0;
    const take = async (place: QuotaPlace, name: number): Promise<void> => {
      const turn = await place.take('watch', never);
      order.push(name);
      held.push(turn);
      most = Math.max(most, held.length);
    };
    for (const [name, place] of places.entries()) void take(place, name);
    await idle();
    expect(order).toEqual([0, 1]);
    while (held.length > 0) {
      held.shift()?.end();
      await idle();
    }
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(most).toBe(2);
  });

  test('starve nobody: who takes turn after turn goes behind those that wait', async () => {
    const { cluster } = world(1, 1_000_000);
    const turns = new Map<string, number>();
    const greedy = async (name: string): Promise<void> => {
      const place = cluster().quota.join();
      for (;;) {
        const turn = await place.take('watch', never);
        turns.set(name, (turns.get(name) ?? 0) + 1);
        await idle();
        turn.end();
      }
    };
    for (const name of ['a', 'b', 'c']) greedy(name).catch(() => undefined);
    for (let i = 0; i < 60; i += 1) await idle();
    const counts = [...turns.values()];
    expect(counts).toHaveLength(3);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  });

  test('are not waited for by lists, nor the other way round', async () => {
    const { cluster } = world(1, 1_000_000);
    await cluster().quota.join().take('watch', never);
    const list = await cluster().quota.join().take('list', never);
    expect(list.what).toBe('list');
  });

  test('pass over one that gave up waiting, and one whose stream left', async () => {
    const { cluster } = world(1, 1_000_000);
    const first = cluster().quota.join();
    await first.take('watch', never);
    const over = new AbortController();
    const waiting = cluster().quota.join().take('watch', over.signal);
    const next = cluster().quota.join().take('watch', never);
    over.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    first.leave();
    expect((await next).what).toBe('watch');
  });

  test('last as usual where there is one for each stream, and are short where there is not', async () => {
    const { cluster } = world(2, 1_000_000);
    const [first, second] = [cluster().quota.join(), cluster().quota.join()];
    const long = await first.take('watch', never);
    expect(long.watchSeconds(400)).toBe(400);
    const third = cluster().quota.join();
    expect((await second.take('watch', never)).watchSeconds(400)).toBe(15);
    expect(long.over.aborted).toBe(false);
    // The first one's was to last for long; now somebody waits.
    const waiting = third.take('watch', never);
    expect(long.over.aborted).toBe(true);
    long.end();
    expect((await waiting).watchSeconds(400)).toBe(15);
    expect((await waiting).watchSeconds(5)).toBe(5);
  });

  test('do not make a short watch give way', async () => {
    const { cluster } = world(1, 1_000_000);
    const first = cluster().quota.join();
    const second = cluster().quota.join();
    const turn = await first.take('watch', never);
    turn.watchSeconds(400);
    void second.take('watch', never);
    expect(turn.over.aborted).toBe(false);
  });
});

describe('requests', () => {
  test('are no more in any minute than the quota has, and what is left over of one is not lost', async () => {
    const { clock, cluster } = world(100, 60);
    const times: number[] = [];
    const worker = async (): Promise<void> => {
      const api = cluster();
      for (let i = 0; i < 12; i += 1) {
        await api.quota.admit(2, never);
        times.push(clock.now());
        await ask(api);
        times.push(clock.now());
        await ask(api);
      }
    };
    await settle(Promise.all(Array.from({ length: 10 }, worker)), clock, 20_000);
    expect(times).toHaveLength(240);
    const busiest = Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 60_000).length));
    expect(busiest).toBeLessThanOrEqual(61);
    // 240 at 54 a minute, and 6 at once.
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThan(((240 - 6) / 54) * 60_000 + 5_000);
  });

  test('begin in the order in which they were asked for', async () => {
    const { clock, cluster } = world(10, 60);
    const order: number[] = [];
    const all = Array.from({ length: 30 }, async (_, name) => {
      await cluster().quota.admit(3, never);
      order.push(name);
    });
    await settle(Promise.all(all), clock);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  test('of what has begun are never held up, and those that begin wait for them', async () => {
    const { clock, cluster } = world(10, 60);
    const api = cluster();
    // 6 are there at once; 14 more are owed.
    for (let i = 0; i < 20; i += 1) expect(await ask(api)).toBe(200);
    const before = clock.now();
    await settle(api.quota.admit(1, never), clock);
    expect((clock.now() - before) / 1000).toBeCloseTo(15 / (54 / 60), 0);
  });

  test('of lists that go on for ever leave half of the rate to what begins, and the other way round', async () => {
    const { clock, cluster } = world(10, 600);
    const counts = { pages: 0, begun: 0 };
    const over = new AbortController();
    const page = async (): Promise<void> => {
      const api = cluster();
      const list = await api.quota.join().take('list', over.signal);
      for (;;) {
        await ask(api);
        await list.next(over.signal);
        counts.pages += 1;
      }
    };
    const begin = async (): Promise<void> => {
      for (;;) {
        const api = cluster();
        await api.quota.admit(1, over.signal);
        await ask(api);
        counts.begun += 1;
      }
    };
    for (let i = 0; i < 8; i += 1) page().catch(() => undefined);
    for (let i = 0; i < 20; i += 1) begin().catch(() => undefined);
    const end = clock.now() + 120_000;
    await settle(
      (async () => {
        while (clock.now() < end) await clock.sleep(1_000);
      })(),
      clock,
      20_000,
    );
    over.abort(new Error('stopped'));
    expect(counts.pages / counts.begun).toBeGreaterThan(0.8);
    expect(counts.pages / counts.begun).toBeLessThan(1.25);
    expect(counts.pages + counts.begun).toBeGreaterThan(1_000);
  });

  test('wait no longer once told to stop, and leave no timer behind', async () => {
    const { clock, cluster } = world(10, 60);
    const api = cluster();
    for (let i = 0; i < 20; i += 1) await ask(api);
    const over = new AbortController();
    const waiting = api.quota.admit(1, over.signal);
    waiting.catch(() => undefined);
    await idle();
    expect(clock.timers).toBe(1);
    over.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    expect(clock.timers).toBe(0);
  });
});

describe('a refusal (429)', () => {
  test.each([
    ['of the gateway makes all that share it wait as it says', { 'retry-after': '20' }, 20],
    ['that does not say for how long makes them wait for 5 s', {}, 5],
    ['that asks for a year is not believed', { 'retry-after': '31536000' }, 300],
    ['of an API server of its own is no affair of the others', { 'retry-after': '20', 'audit-id': 'x' }, 0],
  ])('%s', async (_, headers, seconds) => {
    const { clock, cluster } = world(10, 6_000, () => jsonAnswer({}, 429, headers));
    const before = clock.now();
    expect(await ask(cluster())).toBe(429);
    await settle(cluster().quota.admit(1, never), clock);
    expect((clock.now() - before) / 1000).toBeCloseTo(seconds, 1);
  });

  test('is over at once where the clock was set back: nobody can tell any more when it was', async () => {
    const { clock, cluster } = world(10, 6_000, () => jsonAnswer({}, 429, { 'retry-after': '20' }));
    await ask(cluster());
    clock.set(-3_600_000);
    const before = clock.now();
    await settle(cluster().quota.admit(1, never), clock);
    expect(clock.now()).toBe(before);
  });
});

// The whole product on whole clusters: the real command as a process, changed objects, a tail in another process, a
// webhook, and everything that goes wrong. Runs on the sandbox and on real API servers; every case ends by comparing
// what subscribers received with what the servers have, object by object.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { BridgeHome } from '../support/bridge-home.ts';
import { type BridgeWorld, startBridgeWorld } from '../support/bridge-world.ts';
import { createCrd, deleteCrd, objectPath, putObject, type TestResource } from '../support/crd.ts';
import { seededRandom, testSeed } from '../support/seeded-random.ts';
import type { TestCluster } from '../support/test-cluster.ts';
import { workload } from '../support/workload.ts';

const widgets: TestResource = {
  group: 'example.com',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
};
const gadgets: TestResource = {
  group: 'tools.example.org',
  version: 'v1beta1',
  plural: 'gadgets',
  kind: 'Gadget',
  namespaced: false,
};
const resources = [widgets, gadgets];

/** Cases build on each other: one folder and one pair of clusters go through them all, up to the first that fails. */
export function describeBridge(
  title: string,
  startClusters: () => Promise<readonly [TestCluster, TestCluster]>,
  openHome?: (folder: string) => Promise<BridgeHome>,
): void {
  const seed = testSeed();
  const random = seededRandom(seed);
  const nextSeed = (): number => Math.floor(random() * 2 ** 31);

  describe(`${title}, seed ${seed}`, () => {
    let world: BridgeWorld;
    let first: TestCluster;
    let second: TestCluster;
    let failed = false;

    const change = async (cluster: TestCluster, changes: number): Promise<void> =>
      workload(cluster.client, { seed: nextSeed(), resources }).run(changes);
    const changeBoth = async (changes: number): Promise<void> =>
      void (await Promise.all([change(first, changes), change(second, changes)]));

    beforeAll(async () => {
      const clusters = await startClusters();
      [first, second] = clusters;
      world = await startBridgeWorld(clusters, resources, seededRandom(nextSeed()), openHome);
      await changeBoth(40);
    }, 120_000);
    afterAll(() => world?.[Symbol.asyncDispose]());
    beforeEach((context) => context.skip(failed, 'a case before it failed'));
    afterEach(({ task }) => {
      failed ||= task.result?.state === 'fail';
    });

    test('promise 1: what was there before and what changes after arrives at every subscriber', async () => {
      await world.run.start();
      await world.settled();
      await changeBoth(40);
      await world.settled();
      expect(await world.origins()).toEqual(new Set(['snapshot', 'watch']));
    }, 90_000);

    test('promise 1, 2, 5: kill -9 of the run and of the tail at random moments loses nothing and reorders nothing', async () => {
      for (let round = 0; round < 4; round += 1) {
        const killed = world.webhook.more(1 + Math.floor(random() * 20)).then(() => world.run.kill());
        const tailKilled = world.tail.arrivals.more(1 + Math.floor(random() * 20)).then(() => world.tail.kill());
        await changeBoth(30);
        await killed;
        await changeBoth(5);
        await world.run.start();
        await tailKilled;
        await world.tail.start();
      }
      await world.settled();
    }, 120_000);

    test('promise 6: a second run on the same folder says who is there and does nothing', async () => {
      const { code, stderr, stdout } = await world.runOnce([]);
      expect(code).toBe(4);
      expect(stderr + stdout).toContain(`pid ${world.run.pid()}`);
    }, 60_000);

    test('promise 8: while one cluster is gone, the changes of the other arrive; when it returns, so do its own', async () => {
      await first.kill();
      await change(second, 20);
      await world.settled([second]);
      await first.start();
      await changeBoth(10);
      await world.settled();
    }, 90_000);

    test('promise 1, 10: what a server has forgotten while nothing ran is found by comparison, deletions included', async () => {
      const known = (await world.feed()).length;
      await world.run.kill();
      await changeBoth(20);
      await first.client.call('DELETE', objectPath(widgets, 'team-a'));
      await Promise.all([first.forget(), second.forget()]);
      await changeBoth(5);
      await world.run.start();
      await world.settled();
      const found = (await world.feed()).slice(known).filter(({ origin }) => origin === 'relist');
      expect(new Set(found.map(({ type }) => type.split('.').at(-1)))).toContain('delete');
    }, 120_000);

    test('promise 10: a cluster restored under a running bridge begins an epoch, is reported, and is compared anew', async () => {
      const restore = await first.backup();
      await change(first, 20);
      await world.settled();
      await restore();
      await change(first, 5);
      await world.settled();
      expect(await world.epochs(first)).toEqual(new Set([1, 2]));
      expect(await world.epochs(second)).toEqual(new Set([1]));
      expect(world.run.log()).toMatch(/restored/);
    }, 120_000);

    test('promise 10: a cluster restored while nothing ran is noticed though it has grown past the checkpoint', async () => {
      const restore = await second.backup();
      await change(second, 10);
      await world.settled();
      await world.run.kill();
      await restore();
      await change(second, 60);
      await world.run.start();
      await world.settled();
      expect(await world.epochs(second)).toEqual(new Set([1, 2]));
    }, 120_000);

    test('a definition that is deleted ends with tombstones, and made anew it is followed again', async () => {
      await deleteCrd(first.client, widgets);
      await world.settled();
      await createCrd(first.client, widgets);
      await change(first, 20);
      await world.settled();
    }, 120_000);

    test('a run that is told to stop ends in order, and the next one resumes without listing again', async () => {
      await world.settled();
      expect(await world.run.kill('SIGTERM')).toEqual({ code: 0, signal: null });
      const before = (await world.feed()).length;
      await put(second, 'the-only-change', 'made while nothing ran');
      await world.run.start();
      await world.settled();
      const added = (await world.feed()).slice(before).map(({ name, origin }) => ({ name, origin }));
      expect(added).toEqual([{ name: 'the-only-change', origin: 'watch' }]);
      expect(await world.run.kill('SIGTERM')).toEqual({ code: 0, signal: null });
      const streams = await world.status();
      expect(streams.map(({ state }) => state)).toEqual(['stopped', 'stopped', 'stopped', 'stopped']);
      expect(streams.some(({ gaps, epoch }) => gaps > 0 && epoch > 1)).toBe(true);
    }, 90_000);

    test('a catch-up ends by itself, with everything that had happened before it began', async () => {
      await changeBoth(20);
      const { code } = await world.runOnce(['--mode', 'catch-up']);
      expect(code).toBe(0);
      expect(await world.differences(await world.feed())).toEqual([]);
      await world.settled();
    }, 90_000);

    test('promise 1, 10: a restore is noticed by what was not changed since, where all that is newest was', async () => {
      const all = Array.from({ length: 40 }, (_, number) => `g-${number}`);
      await world.run.start();
      for (const name of all) await put(second, name, 'first');
      const restore = await second.backup();
      for (const name of all) await put(second, name, 'before the restore');
      await world.settled();
      await world.run.kill();
      await restore();
      // The newest half is changed until it is newer than what was recorded; the older half is as in the backup.
      for (const round of [1, 2, 3, 4]) {
        for (const name of all.slice(20)) await put(second, name, `after the restore ${round}`);
      }
      await world.run.start();
      await world.settled();
    }, 120_000);

    test('promise 1, 10: a restore is noticed though an object from before the backup is as recorded', async () => {
      await put(second, 'unchanged', 'first');
      const restore = await second.backup();
      for (const value of [1, 2, 3, 4, 5]) await put(second, 'changing', `before the restore ${value}`);
      await world.settled();
      await world.run.kill();
      await restore();
      await put(second, 'made-anew', 'at a resourceVersion that was recorded for another');
      for (const value of [1, 2, 3, 4, 5, 6, 7]) await put(second, 'changing', `after the restore ${value}`);
      await world.run.start();
      await world.settled();
    }, 120_000);

    test('promise 2, 3, 5: over all of it, every subscriber saw a consistent feed that can be read again', async () => {
      await world.checkSubscribers();
    }, 60_000);
  });
}

async function put({ client }: TestCluster, name: string, value: string): Promise<void> {
  await putObject(client, gadgets, { namespace: '', name }, { value });
}

// Firestore, Pub/Sub, or the process itself stand still: nothing is lost or reordered, and all goes on by itself.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BridgeWorld, startBridgeWorld } from '../support/bridge-world.ts';
import type { TestResource } from '../support/crd.ts';
import { noFirestoreEmulator } from '../support/firestore-emulator.ts';
import { type GoogleEmulators, googleHome, startGoogleEmulators } from '../support/google-home.ts';
import { noPubsubEmulator } from '../support/pubsub-emulator.ts';
import { sandboxPair } from '../support/sandbox-pair.ts';
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
const missing = noFirestoreEmulator ?? noPubsubEmulator;
/** Longer than a lease lasts, so that all of them are lost. */
const OUTAGE_MS = 25_000;

describe.skipIf(missing !== undefined)(`Google stands still (emulators: ${missing ?? 'found'})`, () => {
  const random = seededRandom(testSeed());
  let emulators: GoogleEmulators;
  let world: BridgeWorld;
  let clusters: readonly TestCluster[];
  const change = async (changes: number): Promise<void> => {
    const seed = (): number => Math.floor(random() * 2 ** 31);
    await Promise.all(
      clusters.map(({ client }) => workload(client, { seed: seed(), resources: [widgets] }).run(changes)),
    );
  };
  const passes = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  beforeAll(async () => {
    emulators = await startGoogleEmulators();
    clusters = await sandboxPair();
    world = await startBridgeWorld(clusters, [widgets], random, (folder) => googleHome(folder, emulators));
    await change(20);
    await world.run.start();
    await world.settled();
  }, 200_000);
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
    await emulators?.[Symbol.asyncDispose]();
  });

  test('promises 1, 2, 6: Firestore, for longer than leases last', async () => {
    emulators.firestore.freeze();
    await change(30);
    await passes(OUTAGE_MS);
    emulators.firestore.thaw();
    await change(5);
    await world.settled();
  }, 150_000);

  test('promises 1, 2, 7: Pub/Sub', async () => {
    emulators.pubsub.freeze();
    await change(30);
    await passes(OUTAGE_MS);
    emulators.pubsub.thaw();
    await change(5);
    await world.settled();
  }, 150_000);

  test('promises 1, 2, 6: the process, which then connects everything anew', async () => {
    process.kill(world.run.pid(), 'SIGSTOP');
    await change(30);
    await passes(OUTAGE_MS);
    process.kill(world.run.pid(), 'SIGCONT');
    await change(5);
    await world.settled();
    expect(world.run.log()).toMatch(/stood still for \d+ s/);
  }, 150_000);

  test('promises 2, 3, 5: every subscriber saw a consistent feed that can be read again', async () => {
    await world.checkSubscribers();
    expect(await world.run.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  }, 60_000);
});

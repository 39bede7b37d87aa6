// What is done to a running fleet, a random one of them in each round, while everything changes. An act ends when all that
// it hurt is whole again.
import { createCrd, deleteCrd } from '../support/crd.ts';
import type { FragileCluster } from '../support/test-cluster.ts';
import { overlap, takeOver } from './overlap.ts';
import { restore } from './restore.ts';
import { maybeWithoutBridge, type Scene, type Told } from './scene.ts';

type Act = (scene: Scene) => Promise<Told>;

/** By the name that `--acts` takes. */
export const acts: Readonly<Record<string, Act>> = {
  bridge: (scene) => killAgain(scene, 'bridge'),
  tail: (scene) => killAgain(scene, 'tail'),

  async server(scene) {
    const { world, chance, damage } = scene;
    const cluster = chance.pick(world.clusters);
    await chance.pause(100, 1500);
    await cluster.kill();
    damage.count('API server killed');
    await chance.pause(300, 3000);
    await cluster.start();
    return { what: `API server of ${cluster.name} killed` };
  },

  async etcd(scene) {
    const { world, chance, damage } = scene;
    const cluster = chance.pick(world.clusters);
    await chance.pause(100, 1500);
    await cluster.killStore?.();
    damage.count('etcd killed');
    await chance.pause(300, 3000);
    await cluster.startStore?.();
    return { what: `etcd of ${cluster.name} killed` };
  },

  async everything({ world, chance, damage }) {
    const cluster = chance.pick(world.clusters);
    await chance.pause(300, 1500);
    await Promise.all([world.bridge.kill(), world.tail.kill(), cluster.kill()]);
    for (const kind of ['bridge', 'tail', 'API server']) damage.count(`${kind} killed`);
    await chance.pause(100, 1500);
    world.bridge.start();
    world.tail.start();
    await cluster.start();
    return { what: `bridge, tail and API server of ${cluster.name} killed at once` };
  },

  async freeze(scene) {
    const { world, chance, damage } = scene;
    const cluster = chance.pick(world.clusters);
    cluster.freeze();
    damage.count('API server stopped');
    await chance.pause(2000, 6000);
    cluster.thaw();
    return { what: `API server of ${cluster.name} stopped and continued` };
  },

  pause: takeOver,
  overlap,

  async clock({ world, chance, damage }) {
    await chance.pause(100, 1000);
    await world.bridge.kill();
    damage.count('bridge killed');
    const day = 24 * 3_600_000;
    const jumps = chance.pick(['often', 'once'] as const);
    world.bridge.clock = { offset: chance.between(-day, day), jump: chance.between(-day, day), jumps };
    world.bridge.start();
    damage.count('clock wrong');
    await chance.pause(3000, 11_000);
    const { offset, jump } = world.bridge.clock;
    const clock = `off by ${hours(offset)}, jumping ${jumps} by ${hours(jump)}`;
    return { what: `bridge killed, then started with its clock ${clock}` };
  },

  async disk({ world, chance, damage }) {
    const writers = (): number[] => [world.bridge.pid, world.tail.pid].filter((pid) => pid !== 0);
    const killed = chance.maybe(0.4);
    await chance.pause(100, 1000);
    await world.disk.fill(writers());
    damage.count('disk filled');
    await chance.pause(500, 3000);
    if (killed) {
      await world.bridge.kill();
      damage.count('bridge killed');
      await chance.pause(100, 500);
      world.bridge.start();
    }
    await chance.pause(500, 2000);
    await world.disk.free(writers());
    return { what: `disk filled${killed ? ', bridge killed on it' : ''}, and freed`, mayEnd: true };
  },

  async compaction(scene) {
    const { world, chance, damage } = scene;
    const cluster = chance.pick(world.clusters);
    await chance.pause(300, 1500);
    const away = await maybeWithoutBridge(scene, async () => {
      await chance.pause(300, 2000);
      await cluster.forget();
    });
    damage.count('history compacted');
    return { what: `history of ${cluster.name} compacted${away}` };
  },

  async stop({ world, chance, damage }) {
    await chance.pause(100, 1500);
    const exit = await world.bridge.kill('SIGTERM');
    damage.count('bridge stopped');
    await chance.pause(1000, 4000);
    world.bridge.start();
    return { what: `bridge told to stop (it ended with ${exit?.signal ?? exit?.code}), changes without it` };
  },

  async definition(scene) {
    const { world, chance, damage } = scene;
    const cluster = chance.pick(world.clusters);
    const resource = chance.pick(world.resources);
    await chance.pause(100, 1500);
    const away = await maybeWithoutBridge(scene, async () => {
      await deleteCrd(cluster.client, resource);
      await chance.pause(0, 2000);
      await createCrd(cluster.client, resource);
    });
    damage.count('definition made anew');
    return { what: `definition of ${resource.plural} in ${cluster.name} deleted and made anew${away}` };
  },

  async sink({ world, chance, damage }) {
    world.webhook.setDown(true);
    damage.count('webhook down');
    await chance.pause(1000, 5000);
    world.webhook.setDown(false);
    return { what: 'webhook down for a while' };
  },

  restore,
};

/** Acts that set the workload going themselves. */
export const beginsAtRest: ReadonlySet<string> = new Set(['restore']);

/** Whether an act can be done to these servers. */
export function isPossible(name: string, [cluster]: readonly FragileCluster[]): boolean {
  return name !== 'etcd' || cluster?.killStore !== undefined;
}

async function killAgain({ world, chance, damage }: Scene, victim: 'bridge' | 'tail'): Promise<Told> {
  const times = Math.floor(chance.between(1, 4));
  for (let time = 0; time < times; time += 1) {
    await chance.pause(30, 1500);
    await world[victim].kill();
    damage.count(`${victim} killed`);
    await chance.pause(0, 1000);
    world[victim].start();
  }
  return { what: `${victim} killed ${times === 1 ? 'once' : `${times} times`}` };
}

function hours(ms: number): string {
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

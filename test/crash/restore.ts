// A cluster restored from a backup (promise 10): its resourceVersions go back, and everything that came after is gone.
import type { KubernetesObject } from '../support/cluster-client.ts';
import { putObject } from '../support/crd.ts';
import { readStatus } from '../support/feed-commands.ts';
import type { FragileCluster } from '../support/test-cluster.ts';
import { maybeWithoutBridge, type Scene, type Told } from './scene.ts';
import type { CrashWorld } from './world.ts';

const settleMs = 120_000;

/**
 * Begins with the fleet at rest, for what docs/watch.md says cannot be seen is kept out: before the backup, each of the
 * cluster's streams has a newest change that a watch told, not a list.
 */
export async function restore(scene: Scene): Promise<Told> {
  const { world, chance, damage } = scene;
  const cluster = chance.pick(world.clusters);
  const id = world.fleet.idOf(cluster);
  await world.settled(settleMs);
  await untilWatched(world, cluster);
  const rows = (await readStatus(['--data', world.data])).filter((row) => row.cluster === id);
  const epochs = new Map(rows.map(({ resource, epoch }) => [resource, epoch]));

  scene.busy();
  await chance.pause(0, 1000);
  const back = await cluster.backup();
  await chance.pause(200, 2000);
  const witnessed = chance.maybe();
  if (witnessed) await touch(world, cluster, 'after the backup');
  const away = await maybeWithoutBridge(scene, async () => {
    await chance.pause(0, 1500);
    await back();
    await chance.pause(0, 3000);
  });
  damage.count('cluster restored');
  const what = `${cluster.name} restored from a backup${away}${witnessed ? ', witnessed' : ''}`;
  return { what, restored: { cluster: id, witnessed, epochs } };
}

async function untilWatched(world: CrashWorld, cluster: FragileCluster): Promise<void> {
  for (let attempt = 1; attempt <= 20; attempt += 1) {
    const uids = await touch(world, cluster, `before the backup, attempt ${attempt}`);
    if (uids.every((uid) => world.origins.get(uid) === 'watch')) return;
  }
  throw new Error(`No watch tells the changes of cluster ${cluster.name}; only lists do`);
}

/** Changes an object of each resource that nobody else changes, and waits until the tail has shown it. Resolves with uids. */
async function touch({ arrivals, resources }: CrashWorld, { client }: FragileCluster, when: string): Promise<string[]> {
  const place = { namespace: 'team-a', name: 'witness' };
  const put = await Promise.all(resources.map((resource) => putObject(client, resource, place, { when })));
  const missing = (): string[] => {
    const known = new Set([...arrivals.result.state.values()].map(versionOf));
    return put.flatMap((object) => (known.has(versionOf(object)) ? [] : [`witness ${object.kind}`]));
  };
  await arrivals.until('told of all witnesses', missing, settleMs);
  return put.map(({ metadata }) => metadata.uid ?? '');
}

function versionOf({ metadata }: KubernetesObject): string {
  return `${metadata.uid} ${metadata.resourceVersion}`;
}

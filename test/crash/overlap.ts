// Two bridges on one data folder at once (promise 6): one that slept through its lease, and one whose clock says so.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { readOwner } from '../support/feed-commands.ts';
import type { Scene, Told } from './scene.ts';
import { type Bridge, rightClock } from './world.ts';

/** Leases last 20 s. */
const longerThanLeaseMs = [20_500, 23_000] as const;

/** The bridge is stopped for longer than its leases last; more often than not another one goes on meanwhile. */
export async function takeOver(scene: Scene): Promise<Told> {
  const { world, chance, damage } = scene;
  const first = world.bridge;
  const second = chance.maybe(0.6) ? world.anotherBridge(rightClock) : undefined;
  // By a clock that is ahead, a lease would last for another day.
  if (first.clock !== rightClock) {
    await first.kill();
    damage.count('bridge killed');
    first.clock = rightClock;
    first.start();
  }
  await untilOwner(scene, first);
  await freezeBetweenWrites(scene, first);
  damage.count('bridge stopped for longer than a lease');
  // Until the leases are over it is told that the folder is in use, and ends; then it goes on.
  second?.start();
  await chance.pause(...longerThanLeaseMs);
  if (second === undefined) {
    first.thaw();
    return { what: 'bridge stopped for longer than a lease, and continued' };
  }
  await untilOwner(scene, second);
  await chance.pause(0, 3000);
  first.thaw();
  await chance.pause(1000, 3000);
  const survivor = await endOne(scene, first, second);
  return { what: `bridge stopped, another took over, both went on, ${survivor} stayed`, mayEnd: true };
}

/** Another bridge begins whose clock is so far ahead that every lease seems over: it takes them from one that is alive. */
export async function overlap(scene: Scene): Promise<Told> {
  const { world, chance, damage } = scene;
  const first = world.bridge;
  const { offset, jump } = first.clock;
  const second = world.anotherBridge({ offset: offset + Math.max(0, jump) + 3_600_000, jump: 0, jumps: 'often' });
  await untilOwner(scene, first);
  await chance.pause(0, 1000);
  second.start();
  damage.count('bridges overlapped');
  await untilOwner(scene, second);
  await chance.pause(500, 4000);
  const survivor = await endOne(scene, first, second);
  return { what: `a second bridge with a clock ahead took over from a living one, ${survivor} stayed`, mayEnd: true };
}

/** Who is stopped in the middle of a write keeps the database locked until it goes on: nobody can take over then. */
async function freezeBetweenWrites({ world, chance }: Scene, bridge: Bridge): Promise<void> {
  for (;;) {
    bridge.freeze();
    for (let look = 0; look < 5; look++) {
      if (!isLocked(world.data)) return;
      // It may be the tail that writes.
      await chance.rest(100);
    }
    bridge.thaw();
    await chance.rest(100);
  }
}

function isLocked(data: string): boolean {
  const database = new DatabaseSync(join(data, 'mk8s.db'), { timeout: 0 });
  try {
    database.exec('BEGIN IMMEDIATE; ROLLBACK');
    return false;
  } catch (error) {
    if ((error as { errcode?: number }).errcode !== 5) throw error;
    return true;
  } finally {
    database.close();
  }
}

/** A bridge writes the status every second once it has the folder. The limit of an act is the limit here. */
async function untilOwner({ world, chance }: Scene, bridge: Bridge): Promise<void> {
  while ((await readOwner(world.data))?.endsWith(`pid ${bridge.pid}`) !== true) await chance.rest(150);
}

async function endOne({ world, chance, damage }: Scene, first: Bridge, second: Bridge): Promise<string> {
  const secondStays = chance.maybe();
  await (secondStays ? first : second).kill();
  damage.count('bridge killed');
  world.bridge = secondStays ? second : first;
  return secondStays ? 'the second' : 'the first';
}

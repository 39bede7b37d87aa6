// A fleet that is killed: whatever resourceVersion a client has seen, the next process knows, and goes on from.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Fleet, startFleet } from '../../lib/sandbox/fleet.ts';
import { startProcess } from '../support/process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { openWatch } from '../unit/sandbox/open-watch.ts';

const program = `
  const { startFleet } = await import(process.argv[1]);
  const fleet = await startFleet({ clusters: 2, objects: 30, rate: 400, folder: process.argv[2] });
  const { url, token, ca, uid } = fleet.clusters[1];
  console.log(JSON.stringify({ url, token, ca, uid }));`;

test('kill -9 loses nothing that was seen; the same port, token and identity return, with changes to catch up with', async () => {
  await using folder = await temporaryFolder();
  const module = join(import.meta.dirname, '../../lib/sandbox/fleet.ts');
  await using first = startProcess(process.execPath, ['--input-type=module', '-e', program, module, folder.path]);
  const line = await first.waitFor('its address', ({ stdout }) =>
    stdout.split('\n').find((text) => text.startsWith('{')),
  );
  const cluster = JSON.parse(line) as { url: string; token: string; ca: string; uid: string };
  const routes = '/apis/gateway.networking.k8s.io/v1/httproutes';
  const watch = await openWatch(cluster, `${routes}?watch=true`);
  const seen = new Map<string, number>();
  let newest = 0;
  for (let count = 0; count < 100; count++) {
    const { object } = await watch.next();
    newest = Math.max(newest, Number(object.metadata.resourceVersion));
    seen.set(object.metadata.name ?? '', newest);
  }
  await first.kill('SIGKILL');
  expect(await watch.end).toBe('broken');
  const left = await watch.rest();
  for (const { object } of left) newest = Math.max(newest, Number(object.metadata.resourceVersion));

  const fleet: Fleet = await startFleet({ clusters: 2, objects: 30, rate: 0, folder: folder.path });
  try {
    const again = fleet.clusters[1];
    if (again === undefined) throw new Error('the second cluster is missing');
    expect([again.url, again.token, again.uid]).toEqual([cluster.url, cluster.token, cluster.uid]);
    // 25 changes, of which a few may have been of an object to itself.
    expect(again.client.resourceVersion).toBeGreaterThan(newest + 10);
    const resumed = await openWatch(again, `${routes}?watch=true&resourceVersion=${newest}&timeoutSeconds=1`);
    const events = await resumed.rest();
    expect(events.map(({ type }) => type)).not.toContain('ERROR');
    const versions = events.map(({ object }) => Number(object.metadata.resourceVersion));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(Math.min(Number.POSITIVE_INFINITY, ...versions)).toBeGreaterThan(newest);
  } finally {
    await fleet.stop();
  }
});

test('a second process on the same folder is refused', async () => {
  await using folder = await temporaryFolder();
  const fleet = await startFleet({ clusters: 1, objects: 5, rate: 0, folder: folder.path });
  try {
    await expect(startFleet({ clusters: 1, objects: 5, rate: 0, folder: folder.path })).rejects.toThrow(
      /Is another sandbox running on it\?/,
    );
  } finally {
    await fleet.stop();
  }
});

// Holds everything that can be seen from outside against the promises, while the fleet is at rest.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readFeed, readStatus, type StreamRow } from '../support/feed-commands.ts';
import { compareStates, type FeedEvent, materialise } from '../support/materialise.ts';
import { subscriberFaults } from '../support/subscribers.ts';
import { logFaults } from './log-faults.ts';
import { createOwnership, type Ownership } from './ownership.ts';
import type { Restored } from './scene.ts';
import type { CrashWorld } from './world.ts';

export interface Verifier {
  /** A sentence for each promise that is broken, with its number. The fleet has to be settled. */
  faults(restored: Restored | undefined): Promise<readonly string[]>;
}

export function createVerifier(world: CrashWorld): Verifier {
  const ownership = createOwnership();
  return {
    async faults(restored) {
      const feed = await readFeed(world.data);
      return [
        ...(await subscribed(world, feed)),
        ...feed.flatMap(idFaults),
        ...(await logFaults(world.data)),
        ...ownershipFaults(world, feed, ownership),
        ...(await secretFaults(world)),
        ...(await untilNone(() => statusFaults(world, feed))),
        ...(await untilNone(async () => ownership.behind(world.data))),
        ...(restored === undefined ? [] : await restoreFaults(world, feed, restored)),
      ];
    },
  };
}

/** Promises 1, 2, 3, 5: a fresh reader and both subscribers, among themselves and against the servers. */
async function subscribed({ arrivals, webhook, fleet }: CrashWorld, feed: readonly FeedEvent[]): Promise<string[]> {
  const received = { 'the tail': arrivals.result, 'the webhook': webhook.arrivals.result };
  const lost = compareStates(materialise(feed).state, await fleet.state());
  return [
    ...lost.map((difference) => `promise 1: a fresh reader of the feed: ${difference}`),
    ...subscriberFaults(feed, received).map((fault) => `promises 2, 3, 5: ${fault}`),
  ];
}

/** Promise 5, with a hash of our own. */
function idFaults({ id, cluster, epoch, data, resourceversion, type, name }: FeedEvent): string[] {
  const short = type.split('.').at(-1);
  const text = [cluster, epoch, data.metadata.uid, resourceversion, short].join('\n');
  const expected = createHash('sha256').update(text).digest('hex').slice(0, 32);
  return id === expected ? [] : [`promise 5: ${short} of ${name} at ${epoch}/${resourceversion} has id ${id}`];
}

function ownershipFaults({ data, webhook }: CrashWorld, feed: readonly FeedEvent[], ownership: Ownership): string[] {
  const acknowledged = new Map<string, number>();
  for (const { id, cluster, resource } of feed) {
    const stream = `${cluster} ${resource}`;
    if (webhook.arrivals.result.ids.has(id)) acknowledged.set(stream, (acknowledged.get(stream) ?? 0) + 1);
  }
  return ownership.faults(data, acknowledged);
}

/** Promise 9: no cluster's token is in a log, in the feed or in the bytes of the data folder. */
async function secretFaults({ clusters, logs, data }: CrashWorld): Promise<string[]> {
  const files = await Promise.all(
    [logs, data].map(async (folder) => (await readdir(folder)).map((file) => join(folder, file))),
  );
  const faults: string[] = [];
  for (const file of files.flat()) {
    const bytes = await readFile(file);
    for (const { name, endpoint } of clusters) {
      const base64 = Buffer.from(endpoint.token).toString('base64').replace(/=+$/, '');
      if (bytes.includes(endpoint.token) || bytes.includes(base64)) {
        faults.push(`promise 9: the token of ${name} is in ${file}`);
      }
    }
  }
  return faults;
}

/** What is written a moment later is asked for until it is right. */
async function untilNone(find: () => Promise<string[]>): Promise<string[]> {
  for (let attempt = 1; ; attempt += 1) {
    const faults = await find();
    if (faults.length === 0 || attempt === 20) return faults;
    await delay(500);
  }
}

/** Promise 10: each stream has a row, and its epoch is the feed's. */
async function statusFaults(world: CrashWorld, feed: readonly FeedEvent[]): Promise<string[]> {
  const told = new Map<string, number>();
  for (const { cluster, resource, epoch } of feed) told.set(`${cluster} ${resource}`, Number(epoch));
  const rows = new Map(
    (await readStatus(['--data', world.data])).map((row) => [`${row.cluster} ${row.resource}`, row]),
  );
  return [...told].flatMap(([stream, epoch]) => rowFaults(stream, epoch, rows.get(stream)));
}

/** A stream whose resource went and came back is in an epoch from which there may be nothing to tell yet. */
function rowFaults(stream: string, epoch: number, row: StreamRow | undefined): string[] {
  if (row === undefined) return [`promise 10: the status does not show ${stream}`];
  return row.epoch >= epoch
    ? []
    : [`promise 10: the status shows ${stream} in epoch ${row.epoch}, the feed in ${epoch}`];
}

/** Promise 10: where an object went back, its stream began an epoch, and said by comparison what is there now. */
async function restoreFaults(
  { data, resources }: CrashWorld,
  feed: readonly FeedEvent[],
  { cluster, witnessed, epochs }: Restored,
): Promise<string[]> {
  if (!witnessed) return [];
  const rows = (await readStatus(['--data', data])).filter((row) => row.cluster === cluster);
  return resources.flatMap(({ plural, group }) => {
    const resource = `${plural}.${group}`;
    const before = epochs.get(resource) ?? 0;
    const row = rows.find((each) => each.resource === resource);
    const compared = feed.some(
      (event) =>
        event.cluster === cluster &&
        event.resource === resource &&
        Number(event.epoch) > before &&
        event.origin === 'relist' &&
        event.name === 'witness',
    );
    return [
      ...((row?.epoch ?? 0) > before
        ? []
        : [`promise 10: the restore was not noticed in ${resource}: epoch ${before}`]),
      ...((row?.gaps ?? 0) > 0 ? [] : [`promise 10: the status of ${resource} shows no gap after the restore`]),
      ...(compared ? [] : [`promise 10: the feed of ${resource} does not mark the witness of the restore as relist`]),
    ];
  });
}

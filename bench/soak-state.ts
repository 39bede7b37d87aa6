// What a subscriber of the soak knows: the state that the feed describes, and whether the feed kept order and ids.
// Bounded memory: the present objects, and what is needed to tell a repetition from news.
import { createHash } from 'node:crypto';

export interface Arrival {
  readonly id: string;
  readonly type: string;
  readonly cluster: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
  readonly epoch: number;
  readonly origin: string;
  /** The object's JSON. */
  readonly object: string;
}

export interface Subscriber {
  add(arrival: Arrival): void;
  /** Since the beginning. `redelivered`: the id had come before. */
  readonly counts: { events: number; redelivered: number; relisted: number };
  /** How long after its write each change of the last interval came, milliseconds; asking begins the next interval. */
  takeLags(): number[];
  /** Hash of every present object by key. */
  state(): Map<string, string>;
  /** Broken promises, in sentences; the first hundred. */
  readonly faults: readonly string[];
}

/** Ids remembered: at least this many, at most twice as many. Redeliveries come within minutes. */
const REMEMBERED_IDS = 500_000;
const REMEMBERED_DELETIONS = 20_000;

export function createSubscriber(name: string, now: () => number): Subscriber {
  const objects = new Map<string, string>();
  const newest = new Map<string, { epoch: number; version: bigint }>();
  const deleted = new Set<string>();
  let ids = new Set<string>();
  let olderIds = new Set<string>();
  let lags: number[] = [];
  const counts = { events: 0, redelivered: 0, relisted: 0 };
  const faults: string[] = [];

  function isKnown(id: string): boolean {
    if (ids.has(id) || olderIds.has(id)) return true;
    ids.add(id);
    if (ids.size >= REMEMBERED_IDS) {
      olderIds = ids;
      ids = new Set();
    }
    return false;
  }

  function noteDeletion(key: string): void {
    deleted.delete(key);
    deleted.add(key);
    if (deleted.size <= REMEMBERED_DELETIONS) return;
    const [oldest] = deleted;
    if (oldest === undefined) return;
    deleted.delete(oldest);
    newest.delete(oldest);
  }

  return {
    counts,
    faults,
    add({ id, type, cluster, resource, namespace, name: object, resourceVersion, epoch, origin, object: text }) {
      counts.events += 1;
      if (origin === 'relist') counts.relisted += 1;
      if (isKnown(id)) {
        counts.redelivered += 1;
        return;
      }
      const key = stateKey(cluster, resource, namespace, object);
      const version = BigInt(resourceVersion);
      const last = newest.get(key);
      if (last !== undefined && (epoch < last.epoch || (epoch === last.epoch && version < last.version))) {
        if (faults.length < 100)
          faults.push(`${name}: ${type} of ${key} at ${epoch}/${version} came after ${last.epoch}/${last.version}`);
        return;
      }
      newest.set(key, { epoch, version });
      if (type.endsWith('.delete')) {
        objects.delete(key);
        noteDeletion(key);
        return;
      }
      deleted.delete(key);
      objects.set(key, text);
      const at = writtenAt(text);
      if (origin === 'watch' && at > 0) lags.push(now() - at);
    },
    takeLags() {
      const taken = lags;
      lags = [];
      return taken;
    },
    state: () => new Map([...objects].map(([key, text]) => [key, objectHash(JSON.parse(text) as object)])),
  };
}

export function stateKey(cluster: string, resource: string, namespace: string, name: string): string {
  return `${cluster} ${resource} ${namespace}/${name}`;
}

/** Of the object without managedFields, whatever the order of its keys. */
export function objectHash(object: object): string {
  const { metadata, ...rest } = object as { metadata?: Record<string, unknown> };
  const { managedFields: _, ...kept } = metadata ?? {};
  const text = JSON.stringify({ ...rest, metadata: kept }, (_key, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash('sha1').update(text).digest('base64');
}

/** The later of the two times that an object's writers left in it (`"at":MILLISECONDS`), 0 for none. */
function writtenAt(text: string): number {
  let latest = 0;
  for (const [, digits] of text.matchAll(/"at":(\d+)/g)) latest = Math.max(latest, Number(digits));
  return latest;
}

/** How two states differ, in sentences, at most twenty. */
export function differences(name: string, feed: ReadonlyMap<string, string>, servers: ReadonlyMap<string, string>) {
  const found: string[] = [];
  for (const [key, hash] of servers) {
    const ours = feed.get(key);
    if (ours === undefined) found.push(`${name}: ${key} is on the server, not in the feed`);
    else if (ours !== hash) found.push(`${name}: ${key} differs`);
  }
  for (const key of feed.keys()) if (!servers.has(key)) found.push(`${name}: ${key} is in the feed, not on the server`);
  return found.slice(0, 20);
}

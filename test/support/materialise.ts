// Replays a feed into the state that it describes, and holds it against what the servers have: the end of every
// end-to-end test. Reads what a subscriber reads (structured CloudEvents as lines), and shares no code with lib/.
import { createHash } from 'node:crypto';
import type { KubernetesObject } from './cluster-client.ts';

/** A change as `mk8s tail -o cloudevents` prints it. */
export interface FeedEvent {
  readonly id: string;
  readonly type: string;
  readonly cluster: string;
  /** `PLURAL.GROUP`. */
  readonly resource: string;
  readonly namespace?: string;
  readonly name: string;
  readonly resourceversion: string;
  readonly epoch: number | string;
  readonly origin: string;
  readonly data: KubernetesObject;
}

/** Objects by `CLUSTER RESOURCE NAMESPACE/NAME`. */
export type State = ReadonlyMap<string, KubernetesObject>;

export interface Materialised {
  readonly state: State;
  /** Where the feed itself broke a promise, in sentences; empty is good. */
  readonly faults: readonly string[];
  readonly events: number;
  /** How many were sent more than once. */
  readonly redelivered: number;
  /** By id, what it stood for. */
  readonly ids: ReadonlyMap<string, unknown>;
}

function stateKey(cluster: string, resource: string, namespace: string, name: string): string {
  return `${cluster} ${resource} ${namespace}/${name}`;
}

export interface Materialiser {
  readonly add: (event: FeedEvent) => void;
  readonly result: Materialised;
}

/**
 * Applies events in the order in which they come. Faults (promise 2): within an object and epoch, an event that is older
 * than one before it and was not delivered before; an id that comes again with other content.
 */
export function materialiser(): Materialiser {
  const state = new Map<string, KubernetesObject>();
  const delivered = new Map<string, string>();
  const newest = new Map<string, { epoch: number; version: bigint }>();
  const result = { state, faults: [] as string[], events: 0, redelivered: 0, ids: delivered };

  function add(event: FeedEvent): void {
    result.events += 1;
    const key = stateKey(event.cluster, event.resource, event.namespace ?? '', event.name);
    const told = `${event.type.split('.').at(-1)} of ${key} at ${event.epoch}/${event.resourceversion}`;
    // Of the content only a hash is kept: long tests see many large objects.
    const content = createHash('sha256')
      .update(JSON.stringify([key, event.type, event.data]))
      .digest('base64');
    const before = delivered.get(event.id);
    if (before !== undefined) {
      result.redelivered += 1;
      if (before !== content) result.faults.push(`the id of ${told} came before with other content`);
      return;
    }
    delivered.set(event.id, content);
    const last = newest.get(key);
    const epoch = Number(event.epoch);
    // A tombstone found by absence repeats the last known resourceVersion; after a restore, that is of the epoch before.
    const byAbsence =
      event.type.endsWith('.delete') && state.get(key)?.metadata.resourceVersion === event.resourceversion;
    const version = byAbsence && last !== undefined && last.epoch < epoch ? 0n : BigInt(event.resourceversion);
    const at = { epoch, version };
    if (last !== undefined && (at.epoch < last.epoch || (at.epoch === last.epoch && at.version < last.version))) {
      result.faults.push(`${told} came after ${last.epoch}/${last.version}`);
    }
    newest.set(key, at);
    if (event.data.metadata.managedFields !== undefined) result.faults.push(`${told} has managedFields`);
    if (event.type.endsWith('.delete')) state.delete(key);
    else state.set(key, event.data);
  }
  return { add, result };
}

export function materialise(events: Iterable<FeedEvent>): Materialised {
  const { add, result } = materialiser();
  for (const event of events) add(event);
  return result;
}

/** What a server lists, as part of a state. */
export function serverState(cluster: string, resource: string, objects: readonly KubernetesObject[]): State {
  return new Map(
    objects.map((object) => {
      const { namespace = '', name = '' } = object.metadata;
      return [stateKey(cluster, resource, namespace, name), object];
    }),
  );
}

/** One sentence for each object that is not the same on both sides, key by key; managedFields do not count. */
export function compareStates(feed: State, servers: State): string[] {
  const keys = [...new Set([...feed.keys(), ...servers.keys()])].sort();
  return keys.flatMap((key) => {
    const ours = feed.get(key);
    const theirs = servers.get(key);
    if (ours === undefined) return [`${key}: on the server, not in the feed`];
    if (theirs === undefined) return [`${key}: in the feed, not on the server`];
    const left = canonical(ours);
    const right = canonical(theirs);
    return left === right ? [] : [`${key}: the feed has ${excerpt(left, right)}, the server ${excerpt(right, left)}`];
  });
}

/** The object as text with sorted keys and without managedFields. */
function canonical(object: KubernetesObject): string {
  const { managedFields: _, ...metadata } = object.metadata;
  return JSON.stringify({ ...object, metadata }, (_key, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

/** The part of a text around the first place where it differs from another. */
function excerpt(text: string, other: string): string {
  let start = 0;
  while (text[start] === other[start] && start < text.length) start += 1;
  return `…${text.slice(Math.max(0, start - 60), start + 60)}…`;
}

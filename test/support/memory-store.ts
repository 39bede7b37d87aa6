// Every store port in one process' memory: the simplest thing that passes the contract suites. For unit tests of stages.
import { accepts } from '../../lib/history/accepts.ts';
import type { Checkpoint } from '../../lib/model/checkpoint.ts';
import { Mk8sError } from '../../lib/model/errors.ts';
import { compareResourceVersions, type ResourceVersion } from '../../lib/model/resource-version.ts';
import { type LastState, type ObjectKey, objectKey, type Revision } from '../../lib/model/revision.ts';
import { type StreamKey, type StreamRef, streamKey } from '../../lib/model/stream.ts';
import type { CheckpointStore } from '../../lib/ports/checkpoint-store.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { DeadLetterStore } from '../../lib/ports/event-sink.ts';
import type { Feed, SubscriptionStore } from '../../lib/ports/feed.ts';
import type { InventoryStore } from '../../lib/ports/inventory-store.ts';
import type { LeaseStore } from '../../lib/ports/lease-store.ts';
import type { Retention } from '../../lib/ports/retention.ts';
import type { RevisionLog } from '../../lib/ports/revision-log.ts';
import type { StatusStore } from '../../lib/ports/status-store.ts';
import {
  memoryDeadLetters,
  memoryInventory,
  memoryLeases,
  memoryStatus,
  memorySubscriptions,
} from './memory-tables.ts';

export interface MemoryStore extends Retention {
  readonly log: RevisionLog;
  readonly feed: Feed;
  readonly subscriptions: SubscriptionStore;
  readonly checkpoints: CheckpointStore;
  readonly leases: LeaseStore;
  readonly status: StatusStore;
  readonly inventory: InventoryStore;
  readonly deadLetters: DeadLetterStore;
  close(): Promise<void>;
}

interface StreamRecord {
  readonly ref: StreamRef;
  epoch: number;
  sequence: number;
  resourceVersion: ResourceVersion | undefined;
  objects: number;
  fence: number;
  checkpoint: Checkpoint | undefined;
  readonly last: Map<ObjectKey, LastState>;
  /** Sequence → ordinal: how many revisions its object had, this one included. */
  readonly ordinals: Map<number, number>;
}

interface World {
  readonly clock: Clock;
  readonly streams: Map<StreamKey, StreamRecord>;
  revisions: Revision[];
  head: number;
  removed: number;
  readonly waiting: Set<() => void>;
}

/** Processes of `host` live while `isAlive` says so; those of other hosts until their leases expire. */
export function createMemoryStore(
  clock: Clock,
  { host = 'here', isAlive = () => true }: { host?: string; isAlive?: (pid: number) => boolean } = {},
): MemoryStore {
  const world: World = { clock, streams: new Map(), revisions: [], head: 0, removed: 0, waiting: new Set() };
  return {
    log: memoryLog(world),
    feed: memoryFeed(world),
    checkpoints: memoryCheckpoints(world),
    subscriptions: memorySubscriptions(clock),
    leases: memoryLeases(clock, host, isAlive),
    status: memoryStatus(),
    inventory: memoryInventory(),
    deadLetters: memoryDeadLetters(),
    retain: memoryRetain(world),
    close: async () => {},
  };
}

function open(world: World, ref: StreamRef): StreamRecord {
  const key = streamKey(ref);
  const found = world.streams.get(key);
  if (found !== undefined) return found;
  const made: StreamRecord = {
    ref,
    epoch: 0,
    sequence: 0,
    resourceVersion: undefined,
    objects: 0,
    fence: 0,
    checkpoint: undefined,
    last: new Map(),
    ordinals: new Map(),
  };
  world.streams.set(key, made);
  return made;
}

const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

function memoryLog(world: World): RevisionLog {
  const find = (ref: StreamRef): StreamRecord | undefined => world.streams.get(streamKey(ref));
  const ofStream = (ref: StreamRef) => {
    const key = streamKey(ref);
    return world.revisions.filter((revision) => streamKey(revision.stream) === key);
  };
  return {
    async position(ref) {
      const stream = find(ref);
      if (stream === undefined) return { epoch: 0, sequence: 0, objects: 0 };
      const { epoch, sequence, objects, resourceVersion } = stream;
      return { epoch, sequence, objects, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
    },
    async append(ref, { fence, epoch, changes, resourceVersion }) {
      const seen = find(ref);
      if (fence < (seen?.fence ?? 0) || epoch < (seen?.epoch ?? 0)) {
        throw new Mk8sError(`Cannot record changes of "${streamKey(ref)}": fence ${fence} is displaced`, {
          code: 'fenced',
        });
      }
      const stream = open(world, ref);
      if (epoch > stream.epoch) stream.resourceVersion = undefined;
      Object.assign(stream, { fence, epoch });
      const recorded: Revision[] = [];
      for (const change of changes) {
        const key = objectKey(change.namespace, change.name);
        const last = stream.last.get(key);
        if (!accepts(last, change, epoch)) continue;
        const sequence = ++stream.sequence;
        const deleted = change.type === 'delete';
        const live = last !== undefined && !last.deleted;
        stream.objects += Number(!deleted) - Number(live);
        const revision = {
          ...change,
          stream: stream.ref,
          epoch,
          sequence,
          position: ++world.head,
          previous: last?.sequence ?? 0,
        };
        const { namespace, name, uid, asOf } = change;
        const state = { namespace, name, uid, asOf, epoch, sequence, deleted };
        stream.last.set(key, { ...state, resourceVersion: change.resourceVersion });
        stream.ordinals.set(sequence, (stream.ordinals.get(last?.sequence ?? 0) ?? 0) + 1);
        world.revisions.push(revision);
        recorded.push(revision);
      }
      const before = stream.resourceVersion;
      if (resourceVersion !== undefined && (!before || compareResourceVersions(resourceVersion, before) > 0)) {
        stream.resourceVersion = resourceVersion;
      }
      if (recorded.length > 0) for (const wake of world.waiting) wake();
      return recorded;
    },
    async read(ref, after, { changes, bytes }) {
      const page: Revision[] = [];
      let size = 0;
      for (const revision of ofStream(ref)) {
        if (revision.sequence <= after) continue;
        if (page.length >= Math.max(changes, 1) || size > bytes) break;
        page.push(revision);
        size += revision.object.length;
      }
      return page;
    },
    async revision(ref, sequence) {
      return ofStream(ref).find((revision) => revision.sequence === sequence);
    },
    async *revisionsOf(ref, key) {
      const all = ofStream(ref).filter(({ namespace, name }) => objectKey(namespace, name) === key);
      yield* all.reverse();
    },
    async lastStates(ref, after, limit) {
      const states = [...(find(ref)?.last ?? [])]
        .filter(([key, state]) => !state.deleted && (after === undefined || bytewise(key, after) > 0))
        .sort(([a], [b]) => bytewise(a, b));
      return states.slice(0, limit).map(([, state]) => state);
    },
    async lastState(ref, key) {
      return find(ref)?.last.get(key);
    },
    async streams(cluster) {
      const refs = [...world.streams.values()].map((stream) => stream.ref);
      return refs
        .filter((ref) => cluster === undefined || ref.cluster === cluster)
        .sort((a, b) => bytewise(streamKey(a), streamKey(b)));
    },
  };
}

function memoryFeed(world: World): Feed {
  return {
    async read(after, { bytes, wants = () => true, accepts: passes = () => true }) {
      const page: Revision[] = [];
      let size = 0;
      let position = after;
      for (const revision of world.revisions) {
        if (revision.position <= after) continue;
        if (size >= bytes && page.length > 0) return { revisions: page, position, atEnd: false };
        position = revision.position;
        if (!wants(revision.stream) || !passes(revision)) continue;
        page.push(revision);
        size += revision.object.length;
      }
      return { revisions: page, position: Math.max(after, world.head), atEnd: true };
    },
    head: async () => world.head,
    tail: async () => (world.revisions[0]?.position ?? world.head + 1) - 1,
    thinned: async () => world.removed,
    async positionAt(time) {
      return world.revisions.findLast((revision) => revision.observedAt < time)?.position ?? 0;
    },
    changed: (position, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const done = (settle: () => void) => {
          world.waiting.delete(look);
          signal.removeEventListener('abort', abort);
          settle();
        };
        const abort = () => done(() => reject(signal.reason as Error));
        const look = () => {
          if (world.head > position) done(resolve);
        };
        world.waiting.add(look);
        signal.addEventListener('abort', abort, { once: true });
        look();
      }),
  };
}

function memoryCheckpoints(world: World): CheckpointStore {
  const same = (a: Checkpoint | undefined, b: Checkpoint | undefined) =>
    a?.published === b?.published &&
    a?.epoch === b?.epoch &&
    a?.resourceVersion === b?.resourceVersion &&
    a?.fence === b?.fence;
  return {
    get: async (ref) => world.streams.get(streamKey(ref))?.checkpoint,
    async compareAndSet(ref, previous, next) {
      const found = world.streams.get(streamKey(ref));
      if (!same(found?.checkpoint, previous) || next.fence < (found?.fence ?? 0)) {
        throw new Mk8sError(`Cannot move the checkpoint of "${streamKey(ref)}": another owner moved it`, {
          code: 'fenced',
        });
      }
      Object.assign(open(world, ref), { checkpoint: next, fence: next.fence });
    },
  };
}

function memoryRetain(world: World): Retention['retain'] {
  return async ({ maxAgeMs = Infinity, maxRevisionsPerObject = Infinity }) => {
    const kept = world.revisions.filter((revision) => {
      const stream = open(world, revision.stream);
      const key = objectKey(revision.namespace, revision.name);
      const last = stream.last.get(key);
      const superseded = last === undefined || last.sequence > revision.sequence;
      const old = revision.observedAt < world.clock.now() - maxAgeMs;
      const ordinal = (sequence: number) => stream.ordinals.get(sequence) ?? 0;
      const behind = ordinal(last?.sequence ?? 0) - ordinal(revision.sequence) >= maxRevisionsPerObject;
      if (revision.sequence > (stream.checkpoint?.published ?? 0)) return true;
      if (superseded ? !old && !behind : !old || revision.type !== 'delete') return true;
      if (!superseded) stream.last.delete(key);
      world.removed = Math.max(world.removed, revision.position);
      return false;
    });
    const removed = world.revisions.length - kept.length;
    world.revisions = kept;
    return { removed, done: true };
  };
}

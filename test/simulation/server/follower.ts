// The production watch on a simulated cluster, its outputs folded into what a reader believes to exist. For tests of the
// cluster alone: the whole pipeline follows it in the simulation.
import { objectKey } from '../../../lib/model/revision.ts';
import type { ApiServer } from '../../../lib/ports/api-server.ts';
import type { Clock } from '../../../lib/ports/clock.ts';
import type { RecordReader } from '../../../lib/watch/record-reader.ts';
import { defaultWatchPolicy } from '../../../lib/watch/watch-context.ts';
import { watchStream } from '../../../lib/watch/watch-stream.ts';
import type { Dice } from '../random.ts';

export interface Follower {
  /** Key → the object's JSON without managedFields. */
  readonly objects: ReadonlyMap<string, string>;
  /** Kinds of outputs, in order. */
  readonly outputs: readonly string[];
  readonly done: Promise<void>;
}

export interface FollowerOptions {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly path: () => string;
  readonly signal: AbortSignal;
  readonly labelSelector?: string;
}

const noRecord: RecordReader = {
  lastStates: () => Promise.resolve([]),
  revision: () => Promise.resolve(undefined),
  holds: () => false,
  alters: () => true,
  newest: () => Promise.resolve([]),
};

/** Follows until the signal aborts. */
export function follow({ api, clock, dice, path, signal, labelSelector }: FollowerOptions): Follower {
  const objects = new Map<string, string>();
  const outputs: string[] = [];
  const selector = labelSelector === undefined ? {} : { labelSelector };
  async function run(): Promise<void> {
    let seen = new Set<string>();
    const watch = watchStream({
      api,
      collection: () => ({ path: path(), selector }),
      position: { epoch: 1 },
      record: noRecord,
      control: { next: (until) => new Promise((_, no) => until.addEventListener('abort', () => no(until.reason))) },
      policy: defaultWatchPolicy,
      clock,
      random: () => dice.next(),
      signal,
    });
    for await (const output of watch) {
      outputs.push(output.kind);
      if (output.kind === 'sync') seen = new Set();
      if (output.kind === 'listed') {
        for (const { namespace, name, object } of output.objects) {
          seen.add(objectKey(namespace, name));
          objects.set(objectKey(namespace, name), Buffer.from(object).toString());
        }
      }
      if (output.kind === 'synced') for (const key of objects.keys()) if (!seen.has(key)) objects.delete(key);
      if (output.kind !== 'events') continue;
      for (const { type, object } of output.events) {
        const key = objectKey(object.namespace, object.name);
        if (type === 'DELETED') objects.delete(key);
        else objects.set(key, Buffer.from(object.object).toString());
      }
    }
  }
  const done = run().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return { objects, outputs, done };
}

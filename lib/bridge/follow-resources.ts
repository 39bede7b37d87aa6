// Which resources a cluster serves, now and as it changes: a metadata-only watch of its CRDs says when to look again.
import { backoffDelay } from '../async/backoff.ts';
import { startDeadline } from '../async/deadline.ts';
import { createWake, type Wake } from '../async/wake.ts';
import type { ReachedCluster } from '../discover/merge.ts';
import { messageOf } from '../model/errors.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { Report } from '../ports/reporter.ts';
import type { DiscoveredResources, ResourceDiscovery } from '../ports/resource-discovery.ts';
import type { RecordReader } from '../watch/record-reader.ts';
import type { WatchPolicy } from '../watch/watch-context.ts';
import { watchStream } from '../watch/watch-stream.ts';

/** Looked at anyway, milliseconds: aggregated APIs come and go without a CRD. Costs a 304 where the server knows ETags. */
const EVERY_MS = 60_000;
/** A new CRD is served, and shown by discovery, a moment after it was written: when to look after a change, milliseconds. */
const AFTER_CHANGE_MS = [150, 500, 1_500, 4_000];
/** Time for all of discovery, milliseconds: seconds in a large cluster, for ever on a half-open connection. */
const DISCOVERY_TIMEOUT_MS = 60_000;
/** A later look is one, where the server knows ETags. */
const FIRST_LOOK_REQUESTS = 3;
const RETRY = { baseMs: 1_000, maxMs: 30_000 };
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

export interface ResourceFollowing {
  readonly cluster: ReachedCluster;
  readonly discovery: ResourceDiscovery;
  readonly policy: WatchPolicy;
  readonly clock: Clock;
  readonly random: Random;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** What the cluster serves: one answer, tried until there is one. Throws the signal's reason. */
export async function discoverResources(
  following: ResourceFollowing,
  previous?: DiscoveredResources,
): Promise<DiscoveredResources> {
  const { cluster, discovery, clock, random, report, signal } = following;
  for (let failures = 1; ; failures += 1) {
    await cluster.api.quota?.admit(previous?.etag === undefined ? FIRST_LOOK_REQUESTS : 1, signal);
    const limit = startDeadline(clock, DISCOVERY_TIMEOUT_MS, signal);
    try {
      const known = previous === undefined ? {} : { previous };
      return await discovery.resources(cluster.api, { signal: limit.signal, ...known });
    } catch (error) {
      signal.throwIfAborted();
      const severity = failures === 1 ? 'WARNING' : 'DEBUG';
      const silent = `Cannot discover the resources of cluster "${cluster.name}": it did not answer within ${DISCOVERY_TIMEOUT_MS / 1000} s`;
      report({
        severity,
        cluster: cluster.name,
        message: `${limit.expired ? silent : messageOf(error)}; trying again`,
      });
    } finally {
      limit.stop();
    }
    await clock.sleep(backoffDelay(failures, RETRY, random), signal);
  }
}

/** Yields what the cluster serves, then again after each change, and where the consumer is not settled. Ends by throwing the signal's reason. */
export async function* followResources(
  following: ResourceFollowing & {
    /** False where the consumer could not do all that follows from the last answer: it gets it again, changed or not. */
    readonly isSettled: () => boolean;
  },
): AsyncGenerator<DiscoveredResources, never, undefined> {
  const { clock } = following;
  const over = new AbortController();
  const signal = AbortSignal.any([following.signal, over.signal]);
  const changed = createWake();
  // Behind a gateway that allows few open streams, they are for objects: discovery is looked at, and once is enough then.
  const few = following.cluster.api.quota !== undefined;
  const looks = few ? AFTER_CHANGE_MS.slice(0, 1) : AFTER_CHANGE_MS;
  const watching = few ? Promise.resolve() : watchDefinitions({ ...following, signal }, changed);
  watching.catch(() => changed.notify());
  try {
    let current = await discoverResources(following);
    yield current;
    for (;;) {
      const timer = new AbortController();
      const either = AbortSignal.any([signal, timer.signal]);
      await Promise.race([changed.wait(either), clock.sleep(EVERY_MS, either)]).finally(() => timer.abort());
      for (const delay of looks) {
        await clock.sleep(delay, signal);
        const next = await discoverResources(following, current);
        if (next === current && following.isSettled()) continue;
        current = next;
        yield current;
      }
    }
  } finally {
    over.abort(new Error('nobody follows the resources any more'));
    await watching.catch(() => undefined);
  }
}

const noRecord: RecordReader = {
  lastStates: () => Promise.resolve([]),
  revision: () => Promise.resolve(undefined),
  holds: () => false,
  alters: () => true,
  newest: () => Promise.resolve([]),
};

/** Notifies at every change of a CRD. Where they may not be watched, discovery is still looked at every minute. */
async function watchDefinitions(following: ResourceFollowing, changed: Wake): Promise<void> {
  const { cluster, signal } = following;
  const watch = watchStream({
    ...following,
    api: cluster.api,
    collection: () => ({ path: CRDS, selector: {}, metadataOnly: true }),
    position: { epoch: 1 },
    record: noRecord,
    control: {
      next: (until) => new Promise((_, reject) => until.addEventListener('abort', () => reject(until.reason))),
    },
    signal,
  });
  for await (const output of watch) {
    if (output.kind === 'events' || output.kind === 'synced') changed.notify();
  }
}

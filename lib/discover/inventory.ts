// Sources → one inventory of clusters, deduplicated by cluster id, refreshed while running. A cluster that cannot be reached
// is listed with the reason and tried again; it holds up nobody (promise 8).
import { backoffDelay } from '../async/backoff.ts';
import { type Deadline, startDeadline } from '../async/deadline.ts';
import { untilAborted } from '../async/until-aborted.ts';
import { createWake } from '../async/wake.ts';
import type { Problem } from '../model/cluster.ts';
import { messageOf } from '../model/errors.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { ClusterCandidate, ClusterSource } from '../ports/cluster-source.ts';
import type { ResourceDiscovery } from '../ports/resource-discovery.ts';
import type { DefaultWish } from './default-cluster.ts';
import { type Inventory, keyOf, merge, type Way } from './merge.ts';

/** Time for one cluster to say who it is, milliseconds: a firewall that drops packets should not look like progress. */
const IDENTIFY_TIMEOUT_MS = 15_000;
const RETRY = { baseMs: 2_000, maxMs: 60_000 };

/** Of a cluster that is asked who it is. */
const IDENTIFY_REQUESTS = 2;

/**
 * A cluster has to refuse to say who it is so often in a row before its address stands for it: a role that is missing for
 * a moment would otherwise make it another cluster, with a record of its own.
 */
const REFUSALS = 4;

/** Time for a source to answer, milliseconds: it may have to page through an API of its own. */
const ANSWER_TIMEOUT_MS = 60_000;
/** A source that changes all the time is read this often, milliseconds. */
const LEAST_MS = 1_000;
/** A cluster that was reached is asked again after this long, milliseconds. */
const IDENTITY_LASTS_MS = 5 * 60_000;

export interface InventoryOptions {
  readonly sources: readonly ClusterSource[];
  readonly discovery: Pick<ResourceDiscovery, 'identify'>;
  /** Which cluster to take as the default where none is current. */
  readonly wish?: DefaultWish | undefined;
  /** Between two readings of the sources, milliseconds. */
  readonly refreshMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

interface Entry extends Way {
  readonly source: ClusterSource;
  /** Of the source among all. */
  readonly order: number;
  readonly leave: AbortController;
  /** When it said who it is, milliseconds since 1970. */
  identifiedAt: number;
}

/** Yields the inventory whenever it changed, at first when the sources were read. Ends by throwing the signal's reason. */
export async function* followInventory(options: InventoryOptions): AsyncGenerator<Inventory, never, undefined> {
  const { sources, clock, signal } = options;
  const changed = createWake();
  const entries = new Map<string, Entry>();
  /** Of the last answer; none before the first. */
  const problems = new Map<ClusterSource, readonly Problem[]>();

  /** Reads a source again and again, in its own time: one that does not answer holds up no other. */
  async function follow(source: ClusterSource, order: number): Promise<never> {
    for (;;) {
      const { failed, candidates, problems: found } = await ask(source, options);
      // What a source that failed just now had named is not gone.
      const lost = failed ? [] : await removeOthers(source, candidates);
      problems.set(source, [...found, ...lost]);
      for (const candidate of candidates) add(candidate, source, order);
      changed.notify();
      await untilChanged(source);
    }
  }

  async function removeOthers(source: ClusterSource, candidates: readonly ClusterCandidate[]): Promise<Problem[]> {
    const kept = new Set(candidates.map(keyOf));
    const lost: Problem[] = [];
    for (const [key, entry] of entries) {
      if (entry.source !== source || kept.has(key)) continue;
      entries.delete(key);
      entry.leave.abort(new Error(`cluster "${entry.candidate.name}" left`));
      await entry.api?.close().catch((error: unknown) => {
        lost.push({ source: source.name, message: messageOf(error) });
      });
    }
    return lost;
  }

  function add(candidate: ClusterCandidate, source: ClusterSource, order: number): void {
    const key = keyOf(candidate);
    if (entries.has(key)) return;
    const { unavailable } = candidate;
    const entry: Entry = { candidate, source, order, leave: new AbortController(), tried: false, identifiedAt: 0 };
    entries.set(key, entry);
    if (unavailable !== undefined) {
      // Its source says when that has changed.
      Object.assign(entry, { error: unavailable, tried: true });
      return;
    }
    identify(entry, options).then(
      () => changed.notify(),
      // Only an abort ends it early: the cluster left, or the run ends.
      () => undefined,
    );
  }

  /** Until a source says that it changed, at most `refreshMs`; not more often than every second. */
  async function untilChanged(source: ClusterSource): Promise<void> {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const told = source.changed?.(either).then(() => clock.sleep(LEAST_MS, either));
    const late = clock.sleep(options.refreshMs, either);
    try {
      // One that cannot tell just now is read at intervals like the others.
      await Promise.race([late, ...(told === undefined ? [] : [told.catch(() => late)])]);
    } finally {
      over.abort(new Error('the source is read again'));
      late.catch(() => undefined);
    }
  }

  /** Behind an address there may be another cluster by now. */
  async function identifyAll(): Promise<never> {
    for (;;) {
      await clock.sleep(options.refreshMs, signal);
      for (const entry of entries.values()) {
        if (entry.identity === undefined || clock.now() - entry.identifiedAt < IDENTITY_LASTS_MS) continue;
        entry.identifiedAt = clock.now();
        identifyAgain(entry).then(
          () => changed.notify(),
          // It was reached before; that it can't be just now is for its streams to say.
          () => undefined,
        );
      }
    }
  }

  async function identifyAgain(entry: Entry): Promise<void> {
    if (entry.api === undefined) return;
    const gone = AbortSignal.any([signal, entry.leave.signal]);
    await entry.api.quota?.admit(IDENTIFY_REQUESTS, gone);
    const limit = startDeadline(clock, IDENTIFY_TIMEOUT_MS, gone);
    try {
      const answer = await options.discovery.identify(entry.api, limit.signal);
      if (answer.byAddress !== true || entry.identity?.byAddress === true) entry.identity = answer;
    } finally {
      limit.stop();
    }
  }

  async function identify(entry: Entry, { discovery, random }: InventoryOptions): Promise<void> {
    const gone = AbortSignal.any([signal, entry.leave.signal]);
    let refusals = 0;
    for (let failures = 1; ; failures += 1) {
      let limit: Deadline | undefined;
      try {
        entry.api ??= entry.candidate.connect();
        await entry.api.quota?.admit(IDENTIFY_REQUESTS, gone);
        limit = startDeadline(clock, IDENTIFY_TIMEOUT_MS, gone);
        const answer = await discovery.identify(entry.api, limit.signal);
        refusals += answer.byAddress === true ? 1 : -refusals;
        if (refusals === 0 || refusals === REFUSALS) {
          entry.identity = answer;
          delete entry.error;
          entry.tried = true;
          entry.identifiedAt = clock.now();
          return;
        }
      } catch (error) {
        gone.throwIfAborted();
        entry.error =
          limit?.expired === true ? `it did not answer within ${IDENTIFY_TIMEOUT_MS / 1000} s` : messageOf(error);
        entry.tried = true;
        changed.notify();
      } finally {
        limit?.stop();
      }
      await clock.sleep(backoffDelay(failures, RETRY, random), gone);
    }
  }

  const tasks = [...sources.map(follow), identifyAll()];
  // They end by the signal, and so does the wait below.
  for (const task of tasks) task.catch(() => changed.notify());
  if (sources.length === 0) changed.notify();
  for (;;) {
    await changed.wait(signal);
    const answered = sources.every((source) => problems.has(source));
    const ordered = [...entries.values()].toSorted((a, b) => a.order - b.order);
    yield merge(
      ordered,
      sources.flatMap((source) => problems.get(source) ?? []),
      answered,
      options.wish,
    );
  }
}

async function ask(
  source: ClusterSource,
  { clock, signal }: Pick<InventoryOptions, 'clock' | 'signal'>,
): Promise<{ failed: boolean; candidates: readonly ClusterCandidate[]; problems: readonly Problem[] }> {
  const limit = startDeadline(clock, ANSWER_TIMEOUT_MS, signal);
  try {
    return { failed: false, ...(await untilAborted(source.discover(limit.signal), limit.signal)) };
  } catch (error) {
    signal.throwIfAborted();
    const message = limit.expired ? `it did not answer within ${ANSWER_TIMEOUT_MS / 1000} s` : messageOf(error);
    return { failed: true, candidates: [], problems: [{ source: source.name, message }] };
  } finally {
    limit.stop();
  }
}

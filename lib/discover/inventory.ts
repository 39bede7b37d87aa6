// Sources → one inventory of clusters, deduplicated by cluster id, refreshed while running. A cluster that cannot be reached
// is listed with the reason and tried again; it holds up nobody (promise 8).
import { backoffDelay } from '../async/backoff.ts';
import { startDeadline } from '../async/deadline.ts';
import { createWake } from '../async/wake.ts';
import type { ClusterInfo, ClusterPlacement, Problem } from '../model/cluster.ts';
import { messageOf } from '../model/errors.ts';
import { type ClusterId, clusterId } from '../model/stream.ts';
import type { ApiServer } from '../ports/api-server.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { ClusterCandidate, ClusterSource } from '../ports/cluster-source.ts';
import type { ClusterAnswer, ResourceDiscovery } from '../ports/resource-discovery.ts';

/** Time for one cluster to say who it is, milliseconds: a firewall that drops packets should not look like progress. */
const IDENTIFY_TIMEOUT_MS = 15_000;
const RETRY = { baseMs: 2_000, maxMs: 60_000 };

/**
 * A cluster has to refuse to say who it is so often in a row before its address stands for it: a role that is missing for
 * a moment would otherwise make it another cluster, with a record of its own.
 */
const REFUSALS = 3;

/** A cluster that was reached is asked again after this long, milliseconds. */
const IDENTITY_LASTS_MS = 5 * 60_000;

/** A cluster that was reached. */
export interface ReachedCluster {
  readonly id: ClusterId;
  readonly name: string;
  readonly api: ApiServer;
  /** Changes when the way to it changed: endpoint or credentials. */
  readonly fingerprint: string;
}

export interface Inventory {
  readonly infos: readonly ClusterInfo[];
  readonly reached: readonly ReachedCluster[];
  readonly problems: readonly Problem[];
  /** True once every candidate was tried at least once. */
  readonly complete: boolean;
}

export interface InventoryOptions {
  readonly sources: readonly ClusterSource[];
  readonly discovery: Pick<ResourceDiscovery, 'identify'>;
  /** Between two readings of the sources, milliseconds. */
  readonly refreshMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

interface Entry {
  readonly candidate: ClusterCandidate;
  readonly leave: AbortController;
  api?: ApiServer;
  identity?: ClusterAnswer;
  error?: string;
  tried: boolean;
  /** When it said who it is, milliseconds since 1970. */
  identifiedAt: number;
}

/** Yields the inventory whenever it changed, at first when the sources were read. Ends by throwing the signal's reason. */
export async function* followInventory(options: InventoryOptions): AsyncGenerator<Inventory, never, undefined> {
  const { sources, clock, signal } = options;
  const changed = createWake();
  const entries = new Map<string, Entry>();
  let problems: readonly Problem[] = [];

  async function refresh(): Promise<void> {
    const found = await Promise.all(sources.map((source) => ask(source, signal)));
    const noticed = found.flatMap((answer) => answer.problems);
    const candidates = new Map(found.flatMap((answer) => answer.candidates).map((each) => [keyOf(each), each]));
    const failed = new Set(found.filter((answer) => answer.failed).map((answer) => answer.source));
    for (const [key, entry] of entries) {
      // What a source that failed just now had named is not gone.
      if (candidates.has(key) || failed.has(entry.candidate.source)) continue;
      entries.delete(key);
      entry.leave.abort(new Error(`cluster "${entry.candidate.name}" left`));
      await entry.api?.close().catch((error: unknown) => {
        noticed.push({ source: entry.candidate.source, message: messageOf(error) });
      });
    }
    problems = noticed;
    for (const [key, candidate] of candidates) {
      if (entries.has(key)) continue;
      const { unavailable } = candidate;
      const entry: Entry = { candidate, leave: new AbortController(), tried: false, identifiedAt: 0 };
      entries.set(key, entry);
      if (unavailable !== undefined) {
        // Its source says when that has changed.
        Object.assign(entry, { error: unavailable, tried: true });
        continue;
      }
      identify(entry, options).then(
        () => changed.notify(),
        // Only an abort ends it early: the cluster left, or the run ends.
        () => undefined,
      );
    }
    for (const entry of entries.values()) {
      if (entry.identity === undefined || clock.now() - entry.identifiedAt < IDENTITY_LASTS_MS) continue;
      entry.identifiedAt = clock.now();
      identifyAgain(entry).then(
        () => changed.notify(),
        // It was reached before; that it can't be just now is for its streams to say.
        () => undefined,
      );
    }
    changed.notify();
  }

  /** Behind the same address there may be another cluster by now. */
  async function identifyAgain(entry: Entry): Promise<void> {
    if (entry.api === undefined) return;
    const limit = startDeadline(clock, IDENTIFY_TIMEOUT_MS, AbortSignal.any([signal, entry.leave.signal]));
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
      const limit = startDeadline(clock, IDENTIFY_TIMEOUT_MS, gone);
      try {
        entry.api ??= entry.candidate.connect();
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
        entry.error = limit.expired ? `it did not answer within ${IDENTIFY_TIMEOUT_MS / 1000} s` : messageOf(error);
        entry.tried = true;
        changed.notify();
      } finally {
        limit.stop();
      }
      await clock.sleep(backoffDelay(failures, RETRY, random), gone);
    }
  }

  async function refreshLater(): Promise<void> {
    for (;;) {
      await clock.sleep(options.refreshMs, signal);
      await refresh();
    }
  }

  await refresh();
  refreshLater().catch(() => changed.notify());
  for (;;) {
    await changed.wait(signal);
    yield merge([...entries.values()], problems);
  }
}

function keyOf(candidate: ClusterCandidate): string {
  return `${candidate.source}\n${candidate.name}\n${candidate.fingerprint}`;
}

async function ask(
  source: ClusterSource,
  signal: AbortSignal,
): Promise<{ source: string; failed: boolean; candidates: readonly ClusterCandidate[]; problems: readonly Problem[] }> {
  try {
    return { source: source.name, failed: false, ...(await source.discover(signal)) };
  } catch (error) {
    signal.throwIfAborted();
    const problem = { source: source.name, message: messageOf(error) };
    return { source: source.name, failed: true, candidates: [], problems: [problem] };
  }
}

/** Two sources, or two contexts, that lead to one cluster are one cluster: the default's way first, else the first found. */
function merge(entries: readonly Entry[], problems: readonly Problem[]): Inventory {
  const byId = new Map<string, [Entry, ...Entry[]]>();
  for (const entry of entries.toSorted((a, b) => Number(b.candidate.isDefault) - Number(a.candidate.isDefault))) {
    const id = identityOf(entry) ?? `unknown\n${keyOf(entry.candidate)}`;
    const group = byId.get(id);
    if (group === undefined) byId.set(id, [entry]);
    else group.push(entry);
  }
  const groups = [...byId.values()];
  return {
    infos: groups.map(infoOf),
    reached: groups.flatMap((group) => {
      const first = group.find((entry) => entry.identity !== undefined);
      if (first?.identity === undefined || first.api === undefined) return [];
      const { name, fingerprint } = first.candidate;
      return [{ id: clusterId(identityOf(first) ?? first.identity.id), name, api: first.api, fingerprint }];
    }),
    problems,
    complete: entries.every((entry) => entry.tried),
  };
}

/** What the cluster says of itself; where it may not be asked, what its platform calls it, or else its address. */
function identityOf({ candidate, identity }: Entry): string | undefined {
  return identity?.byAddress === true ? (candidate.id ?? identity.id) : identity?.id;
}

/** What any of the ways to a cluster knows of its place. */
function placementOf(group: readonly Entry[]): ClusterPlacement {
  const candidate = group.find((entry) => entry.candidate.state !== undefined)?.candidate;
  if (candidate === undefined) return {};
  const { project, location, state, labels } = candidate;
  return {
    ...(project === undefined ? {} : { project }),
    ...(location === undefined ? {} : { location }),
    ...(state === undefined ? {} : { state }),
    ...(labels === undefined ? {} : { labels }),
  };
}

function infoOf(group: readonly [Entry, ...Entry[]]): ClusterInfo {
  const reached = group.find((entry) => entry.identity !== undefined);
  const first = reached ?? group[0];
  const { name, server, namespace } = first.candidate;
  const id = reached === undefined ? undefined : identityOf(reached);
  const aliases = group.map((entry) => entry.candidate.name).filter((alias) => alias !== name);
  const error = reached === undefined ? first.error : undefined;
  return {
    ...placementOf(group),
    ...(id === undefined ? {} : { id: clusterId(id) }),
    name,
    aliases: [...new Set(aliases)],
    sources: [...new Set(group.map((entry) => entry.candidate.source))],
    server,
    namespace,
    isDefault: group.some((entry) => entry.candidate.isDefault),
    ...(reached?.identity === undefined ? {} : { version: reached.identity.version }),
    ...(error === undefined ? {} : { error }),
  };
}

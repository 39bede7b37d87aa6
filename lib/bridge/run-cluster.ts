// One cluster: starts and ends its streams as its resources come and go. Nothing in here can delay another cluster
// (promise 8).
import { backoffDelay } from '../async/backoff.ts';
import { startDeadline } from '../async/deadline.ts';
import type { ReachedCluster } from '../discover/merge.ts';
import { messageOf } from '../model/errors.ts';
import { collectionPath, formatGroupResource, type GroupResource, type ResourceInfo } from '../model/resource.ts';
import { type StreamKey, type StreamRef, streamKey } from '../model/stream.ts';
import { type PlannedStream, planStreams, type Wanted } from '../plan/streams.ts';
import type { DiscoveredResources, ResourceDiscovery } from '../ports/resource-discovery.ts';
import { discoverResources, followResources } from './follow-resources.ts';
import { createRestoreNotices } from './restore-notices.ts';
import { runStream } from './run-stream.ts';
import { createStreamControl, type StreamControl } from './stream-control.ts';
import type { StreamEnd, StreamServices } from './stream-task.ts';

/** Before a stream that failed, or that another run holds, is tried again, milliseconds. */
const RETRY = { baseMs: 2_000, maxMs: 30_000 };
/** Time for a cluster to say that a resource is gone, milliseconds: its connection may be half-open. */
const PROOF_TIMEOUT_MS = 30_000;
/** Of such a proof. */
const PROOF_REQUESTS = 2;

export interface ClusterTask {
  readonly cluster: ReachedCluster;
  readonly discovery: ResourceDiscovery;
  readonly wanted: Wanted;
  readonly stop: AbortSignal;
  readonly giveUp: AbortSignal;
}

/** How a stream of a catch-up ended, or why it could not go on. */
export interface StreamOutcome {
  readonly stream: StreamRef;
  readonly end: StreamEnd | 'failed';
  readonly failure?: string;
}

interface Running {
  readonly control: StreamControl;
  /** Replaced when another version is served. */
  info: ResourceInfo;
  readonly done: Promise<StreamOutcome>;
}

/** Follows a cluster until told to stop (follow), or until each of its streams has caught up (catch-up). */
export async function runCluster(task: ClusterTask, services: StreamServices): Promise<readonly StreamOutcome[]> {
  const running = new Map<StreamKey, Running>();
  let planned: ReadonlyMap<StreamKey, PlannedStream> = new Map();
  let announced = false;
  const notices = createRestoreNotices();
  /** Whether for each recorded resource that is not served, it is known if it is gone. */
  let settled = true;
  const following = { ...task, ...services, signal: task.stop, isSettled };
  try {
    if (services.mode === 'catch-up') {
      const discovered = await discoverResources(following);
      await follow(discovered);
      await endGone(discovered);
    } else {
      let latest: DiscoveredResources | undefined;
      for await (const discovered of followResources(following)) {
        if (discovered !== latest) await follow(discovered);
        latest = discovered;
        settled = await endGone(discovered);
      }
    }
  } catch (error) {
    if (!task.stop.aborted) throw error;
  }
  return await Promise.all([...running.values()].map(({ done }) => done));

  function isSettled(): boolean {
    return settled && ![...running.values()].some(({ control }) => control.doubted);
  }

  async function follow(discovered: DiscoveredResources): Promise<void> {
    for (const { groupVersion, message } of discovered.failed) {
      const text = `Cannot tell what ${groupVersion} serves: ${message}; its resources are followed as before`;
      services.report({ severity: 'WARNING', message: text, cluster: task.cluster.name });
    }
    planned = planStreams(task.cluster.id, discovered.resources, task.wanted);
    announce([...planned].flatMap(([key, { info }]) => (running.has(key) ? [] : [formatGroupResource(info)])));
    for (const { stream } of planned.values()) services.board.row(stream, task.cluster.name);
    await services.showStatus();
    for (const [key, plan] of planned) start(key, plan);
  }

  /** Ends the streams of what is gone, with proof. False where a proof is missing: to be asked for again. */
  async function endGone(discovered: DiscoveredResources): Promise<boolean> {
    let complete = true;
    for (const [key, { control, info }] of running) {
      if (planned.has(key)) continue;
      const sayGone = control.ask();
      const fate = await fateOf(info, discovered);
      const isKnown = fate === 'gone' ? sayGone() : fate === 'served';
      complete &&= isKnown;
    }
    try {
      return (await buryGone(discovered)) && complete;
    } catch (error) {
      task.stop.throwIfAborted();
      const message = `Cannot look for what is gone from cluster "${task.cluster.name}": ${messageOf(error)}`;
      services.report({ severity: 'ERROR', message, cluster: task.cluster.name });
      return false;
    }
  }

  function announce(resources: readonly string[]): void {
    if (resources.length === 0 && announced) return;
    const names = [...new Set(resources)].toSorted();
    const message =
      names.length === 0
        ? `Cluster "${task.cluster.name}" serves none of the wanted resources (yet)`
        : `Following ${announced ? 'also ' : ''}${names.join(', ')} in cluster "${task.cluster.name}"`;
    services.report({ severity: 'INFO', message, cluster: task.cluster.name });
    announced = true;
  }

  function start(key: StreamKey, { stream, info }: PlannedStream): void {
    const known = running.get(key);
    if (known !== undefined) {
      known.info = info;
      known.control.retry();
      return;
    }
    begin(key, stream, info, false);
  }

  function begin(key: StreamKey, stream: StreamRef, info: ResourceInfo, gone: boolean): void {
    const control = createStreamControl();
    const entry: Running = { control, info, done: runUntilDone(stream, gone, control, () => entry.info) };
    running.set(key, entry);
    if (services.mode === 'catch-up') return;
    entry.done.then(
      () => {
        running.delete(key);
        // Its resource came back while its end was still being published.
        const plan = planned.get(key);
        if (plan !== undefined && !task.stop.aborted) start(key, plan);
      },
      () => undefined,
    );
  }

  /** Resources that vanished while nothing was running: their recorded objects get tombstones. False where a proof is missing. */
  async function buryGone(discovered: DiscoveredResources): Promise<boolean> {
    let complete = true;
    for (const stream of await services.log.streams(task.cluster.id)) {
      const key = streamKey(stream);
      if (running.has(key)) continue;
      if (await isBuried(stream)) continue;
      const fate = await fateOf(stream, discovered);
      complete &&= fate !== 'unproven';
      if (fate !== 'gone') continue;
      begin(key, stream, { ...stream, version: '', kind: '', namespaced: true, verbs: [], custom: true }, true);
    }
    return complete;
  }

  async function isBuried(stream: StreamRef): Promise<boolean> {
    const { objects, sequence, resourceVersion, epoch } = await services.log.position(stream);
    // Without objects there is a life to end, too, as long as there is a position in it.
    if (objects > 0 || resourceVersion !== undefined) return false;
    // A run may have ended before it published the tombstones that it recorded.
    const checkpoint = await services.checkpoints.get(stream);
    return (checkpoint?.published ?? 0) >= sequence && (checkpoint?.epoch ?? epoch) === epoch;
  }

  /** Runs a stream, again and again where it fails: what is wrong with one delays no other. */
  async function runUntilDone(
    stream: StreamRef,
    gone: boolean,
    control: StreamControl,
    info: () => ResourceInfo,
  ): Promise<StreamOutcome> {
    const collection = (): { path: string; selector: StreamRef['selector'] } => ({
      path: collectionPath(info(), stream.selector.namespace),
      selector: stream.selector,
    });
    const { cluster, stop, giveUp } = task;
    const restores = notices.join(streamKey(stream));
    const streamTask = {
      stream,
      clusterName: cluster.name,
      api: cluster.api,
      collection,
      control,
      restores,
      stop,
      giveUp,
      gone,
    };
    try {
      for (let failures = 1; ; failures += 1) {
        const outcome = await attempt(() => runStream(streamTask, services));
        const final = services.mode === 'catch-up' || (outcome.end !== 'held' && outcome.end !== 'failed');
        if (outcome.end === 'failed') reportFailure(stream, outcome.failure ?? '', final);
        if (final || stop.aborted) return { stream, ...outcome };
        const delay = backoffDelay(failures, RETRY, services.random);
        if (!(await sleeps(delay, stop))) return { stream, ...outcome };
      }
    } finally {
      restores.leave();
    }
  }

  /** Gone only with proof: not merely unwanted, unlisted or unreadable just now. */
  async function fateOf(
    resource: GroupResource,
    { resources, failed }: DiscoveredResources,
  ): Promise<'served' | 'gone' | 'unproven'> {
    const { group, plural } = resource;
    if (resources.some((served) => served.group === group && served.plural === plural)) return 'served';
    // Of the core group only the version is named.
    const isOf = (groupVersion: string): boolean =>
      groupVersion.slice(0, Math.max(0, groupVersion.indexOf('/'))) === group;
    if (failed.some(({ groupVersion }) => isOf(groupVersion))) return 'unproven';
    await task.cluster.api.quota?.admit(PROOF_REQUESTS, task.stop);
    const limit = startDeadline(services.clock, PROOF_TIMEOUT_MS, task.stop);
    try {
      return (await task.discovery.isGone(task.cluster.api, resource, limit.signal)) ? 'gone' : 'unproven';
    } catch (error) {
      task.stop.throwIfAborted();
      services.report({ severity: 'DEBUG', message: messageOf(error), cluster: task.cluster.name });
      return 'unproven';
    } finally {
      limit.stop();
    }
  }

  async function sleeps(ms: number, signal: AbortSignal): Promise<boolean> {
    try {
      await services.clock.sleep(ms, signal);
      return true;
    } catch (error) {
      if (!signal.aborted) throw error;
      return false;
    }
  }

  function reportFailure(stream: StreamRef, failure: string, final: boolean): void {
    const resource = formatGroupResource(stream);
    const message = `Stopped following ${resource} in cluster "${task.cluster.name}": ${failure}${final ? '' : '; starting it again'}`;
    services.report({ severity: 'ERROR', message, cluster: task.cluster.name, resource });
  }
}

async function attempt(run: () => Promise<StreamEnd>): Promise<Omit<StreamOutcome, 'stream'>> {
  try {
    return { end: await run() };
  } catch (error) {
    return { end: 'failed', failure: messageOf(error) };
  }
}

// A seed's world from its first moment to its last: clusters, a store, sinks and processes, the steps in which things happen
// to them, then the calm in which everything has to catch up, and the end.
import { messageOf } from '../../lib/model/errors.ts';
import { clusterId, streamKey } from '../../lib/model/stream.ts';
import { allChecks } from './checks/all-checks.ts';
import { caughtUp } from './checks/caught-up.ts';
import { type Counters, createCounters } from './counters.ts';
import { createFaults } from './fault-dice.ts';
import { noFaults, onlyClustersFail } from './faults.ts';
import { createFirestoreStore } from './firestore-store.ts';
import { createBlindSpots } from './model/blind-spots.ts';
import type { KnownCluster, Model } from './model/model.ts';
import { type Fail, tellAll } from './model/observer.ts';
import { createRecordModel } from './model/record.ts';
import { createTimeline } from './model/timeline.ts';
import type { Profile } from './profile.ts';
import { createDice } from './random.ts';
import { resourcesOf } from './resources.ts';
import { createRuns } from './runs.ts';
import { createScheduler } from './scheduler.ts';
import { createSimCluster } from './server/cluster.ts';
import { createSimSink } from './sink.ts';
import { createSimSource } from './source.ts';
import { createSimStore } from './store.ts';
import { createTrace, noTrace, type Trace } from './trace.ts';
import { tracing } from './tracing.ts';

/** Once all is calm, everything has to catch up within this, milliseconds: a half-open watch is noticed after 615 s. */
const CATCH_UP_MS = 20 * 60_000;
/** Between two looks whether it has, milliseconds. */
const LOOK_EVERY_MS = 1_000;
/** Told to stop, all has to have ended by then, milliseconds. */
const STOP_MS = 15_000;
/** A run in which more than this many timers fire goes round in circles. */
const MOST_TIMERS = 400_000;

export interface Failure {
  readonly promise: number | 'liveness';
  readonly message: string;
}

export interface Outcome {
  readonly failure: Failure | undefined;
  readonly counters: ReadonlyMap<string, number>;
  readonly trace: Trace;
}

export async function runWorld(profile: Profile, { traced = false } = {}): Promise<Outcome> {
  // The scheduler takes the next tick for the end of all work, which it is only after promises have had their turn: a world
  // that began in the middle of a tick (a message from another process) would jump over its first moments.
  await Promise.resolve();
  const scheduler = createScheduler();
  const trace = traced ? createTrace(() => scheduler.now()) : noTrace;
  const counters = createCounters();
  const dice = createDice(profile.seed).fork('world');
  const faults = createFaults(dice.fork('faults'), profile.rates, counters);
  const result: { failure?: Failure } = {};
  const fail: Fail = (promise, message) => {
    trace.say(() => `FAILED promise ${promise}: ${message}`);
    result.failure ??= { promise, message };
  };
  const stopListening = catchUnhandled(fail);

  const clusters = Array.from({ length: profile.clusters }, (_, index) => {
    const name = `cluster-${String.fromCharCode(97 + index)}`;
    const own = dice.fork(name);
    // The last one: what is done one cluster after the other would hold it up.
    const honest = profile.honest && index === profile.clusters - 1;
    const sim = createSimCluster({
      name,
      clock: scheduler.clock(),
      dice: own.fork('server'),
      rates: honest ? noFaults : profile.rates,
      resources: resourcesOf(profile.resources),
      objects: profile.objects,
    });
    return { sim, honest, dice: own };
  });
  let full = false;
  const record = createRecordModel();
  const tailNames = Array.from({ length: profile.tails }, (_, index) => `tail-${'abc'[index]}`);
  const sinkNames = Array.from({ length: profile.sinks }, (_, index) => `sink-${'abc'[index]}`);
  const known = clusters.map(({ sim, honest }): KnownCluster => {
    const { uid, name, truth, served } = sim;
    return { id: clusterId(uid), name, honest, truth, timeline: createTimeline(truth), served };
  });
  const byId = new Map(known.map((cluster) => [cluster.id, cluster]));
  const blindSpots = createBlindSpots(record, byId, (what) => counters.count(what));
  const model: Model = {
    record,
    clusters: byId,
    blindSpots,
    settings: profile.settings,
    sinks: sinkNames,
    tails: tailNames,
    scheduler,
    faults,
    onlyClustersFail: onlyClustersFail(profile.rates),
    bridges: () => runs.bridges,
    get store() {
      return store.truth;
    },
    oneLog: profile.store !== 'firestore',
    fail,
  };
  const catching = caughtUp(model);
  const watchers = tellAll([
    {
      onAppend: (_, stream, batch, revisions) => record.append(stream, batch, revisions),
      onStep: () => blindSpots.look(),
    },
    ...allChecks(model),
    catching,
    { onCheckpoint: (_, stream, next) => record.checkpoint(stream, next) },
    ...(traced ? [tracing(trace)] : []),
  ]);
  const sinks = sinkNames.map((name) =>
    createSimSink({ name, scheduler, faults, dice: dice.fork(name), watcher: watchers }),
  );
  const source = createSimSource(
    clusters.map(({ sim }) => sim),
    faults,
    (cluster) => clusters.some(({ sim, honest }) => honest && sim === cluster),
  );
  const runs = createRuns({
    profile,
    scheduler,
    dice: dice.fork('runs'),
    faults,
    store: () => store,
    sinks,
    tails: tailNames,
    source,
    watchers,
    fail,
    trace,
  });
  const shared = {
    scheduler,
    faults,
    watcher: watchers,
    isAlive: (pid: number) => runs.isAlive(pid),
    isFull: () => full,
  };
  const store =
    profile.store === 'firestore'
      ? createFirestoreStore({ ...shared, dice: dice.fork('firestore') })
      : createSimStore({ ...shared, name: `sim-${profile.seed}-${(worlds += 1)}` });

  /** True once the run is decided; asked whenever nothing more happens at a moment. */
  function over(): boolean {
    watchers.onStep();
    if (scheduler.fired > MOST_TIMERS) fail('liveness', `${MOST_TIMERS} timers fired: it goes round in circles`);
    return result.failure !== undefined;
  }

  try {
    await live();
    if (result.failure === undefined) await settle();
    if (result.failure === undefined) await end();
  } catch (error) {
    fail('liveness', `the simulation itself failed: ${error instanceof Error ? error.stack : messageOf(error)}`);
  } finally {
    for (const { process } of [...runs.bridges, ...runs.tails]) process.exit();
    store.close();
    stopListening();
  }
  counters.count('timers', scheduler.fired);
  counters.count('simulated seconds', Math.round((scheduler.now() - Date.UTC(2026, 0, 1)) / 1000));
  counters.count('revisions', record.size);
  countClusters(counters, clusters);
  return { failure: result.failure, counters: counters.all, trace };

  async function live(): Promise<void> {
    const pace = dice.fork('pace');
    const events = dice.fork('events');
    runs.begin();
    for (let step = 0; step < profile.steps && result.failure === undefined; step += 1) {
      for (const { sim } of clusters) if (events.chance(0.6)) sim.step();
      runs.step();
      const { sim } = events.pick(clusters);
      if (faults.strikes('process', 'moved')) source.move(sim);
      if (faults.strikes('process', 'movedAway')) {
        source.moveAway(sim, faults.dice('process', 'movedAway').pick(['refused', 'silent']));
      }
      if (faults.strikes('process', 'aliased')) source.alias(sim);
      if (faults.strikes('process', 'left')) source.hide(sim);
      if (sinks.length > 0) {
        const sink = events.pick(sinks);
        if (faults.strikes('sink', 'down')) sink.goDown(events.int(120_000));
        const streams = [...record.streams.values()];
        if (streams.length > 0 && faults.strikes('sink', 'streamFails')) {
          sink.refuseStream(streamKey(events.pick(streams).ref), events.int(120_000));
        }
      }
      if (faults.strikes('store', 'diskFills')) full = true;
      else if (full && events.chance(0.2)) full = false;
      await scheduler.run(scheduler.now() + Math.ceil(-Math.log(1 - pace.next()) * profile.pace), over);
    }
  }

  async function settle(): Promise<void> {
    trace.say(() => 'all becomes calm');
    faults.calm();
    full = false;
    for (const { sim } of clusters) sim.calm();
    for (const sink of sinks) sink.calm();
    source.calm();
    runs.calm();
    for (const { sim } of clusters) for (let left = profile.lateWrites; left > 0; left -= 1) sim.step();
    const until = scheduler.now() + CATCH_UP_MS;
    let missing: readonly string[] = ['nothing was looked at'];
    while (scheduler.now() < until && result.failure === undefined && missing.length > 0) {
      await scheduler.run(scheduler.now() + LOOK_EVERY_MS, over);
      missing = catching.missing();
    }
    if (missing.length > 0) {
      fail('liveness', `${CATCH_UP_MS / 60_000} minutes after the last fault, ${missing.slice(0, 3).join('; ')}`);
    }
  }

  async function end(): Promise<void> {
    watchers.onCaughtUp();
    const goOn = [...runs.bridges, ...runs.tails].map(({ process }) => process.owner.frozenUntil);
    runs.stop();
    await scheduler.run(Math.max(scheduler.now(), ...goOn) + STOP_MS, over);
    for (const { sim } of clusters) {
      const open = sim.openConnections();
      if (open > 0) fail('liveness', `${open} connections to ${sim.name} are open, and nothing runs any more`);
    }
    await watchers.onEnd();
  }
}

let worlds = 0;

/** A rejection that nobody handles is a broken promise, too. */
function catchUnhandled(fail: Fail): () => void {
  const listener = (error: unknown): void =>
    fail('liveness', `a rejection was not handled: ${error instanceof Error ? error.stack : String(error)}`);
  process.on('unhandledRejection', listener);
  return () => process.off('unhandledRejection', listener);
}

function countClusters(
  counters: Counters,
  clusters: readonly { readonly sim: { readonly counters: Readonly<Record<string, number>> } }[],
): void {
  for (const { sim } of clusters) for (const [what, times] of Object.entries(sim.counters)) counters.count(what, times);
}

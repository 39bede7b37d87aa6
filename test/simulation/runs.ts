// The processes of a simulation over their lives: bridges that are started, killed, frozen, told to stop and started again,
// some of them beside each other, and tails likewise.
import type { ClusterInfo, Problem } from '../../lib/model/cluster.ts';
import { Mk8sError, messageOf } from '../../lib/model/errors.ts';
import { type BridgeProcess, startBridge } from './bridge-process.ts';
import type { Faults } from './fault-dice.ts';
import type { Fail, Watchers } from './model/observer.ts';
import { createProcess, type SimProcess } from './process.ts';
import type { Profile } from './profile.ts';
import type { Dice } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimSink } from './sink.ts';
import type { SimSource } from './source.ts';
import type { SimStore } from './store.ts';
import { startTail, type TailProcess } from './tail-process.ts';
import type { Trace } from './trace.ts';

/** A run that is told to stop has to end within this, milliseconds: what Cloud Run gives after SIGTERM, less a margin. */
const STOP_MS = 8_000;
/** What slow calls of the store and of sinks may add to it. */
const SLACK_MS = 5_000;
/** Before a process that ended is started again, milliseconds. */
const RESTART_MS = 30_000;
const MOST_BRIDGES = 3;

export interface Runs {
  /** Starts what a world begins with. */
  begin(): void;
  /** What happens to processes in one step. */
  step(): void;
  /** From now on what has ended is started again at once, and nothing happens to processes. */
  calm(): void;
  /** Tells all to stop in order. */
  stop(): void;
  readonly bridges: readonly BridgeProcess[];
  readonly tails: readonly TailProcess[];
  readonly isAlive: (pid: number) => boolean;
}

export interface RunsParts {
  readonly profile: Profile;
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly faults: Faults;
  readonly store: () => SimStore;
  readonly sinks: readonly SimSink[];
  readonly tails: readonly string[];
  readonly source: SimSource;
  readonly watchers: Watchers;
  readonly fail: Fail;
  readonly trace: Trace;
}

export function createRuns(parts: RunsParts): Runs {
  const { profile, scheduler, dice, faults, watchers, fail, trace } = parts;
  const choice = dice.fork('choice');
  let bridges: BridgeProcess[] = [];
  let tails: TailProcess[] = [];
  let calm = false;
  let over = false;
  let pids = 0;

  function spawn(kind: string, onDeath: () => void): SimProcess {
    pids += 1;
    const name = `${kind}-${pids}`;
    const own = dice.fork(name);
    const skewMs = faults.strikes('process', 'skew') ? own.fork('skew').int(120_000) - 60_000 : 0;
    trace.say(() => `${name} starts${skewMs === 0 ? '' : `, its clock ${skewMs} ms off`}`);
    return createProcess({
      name,
      pid: pids,
      scheduler,
      skewMs,
      dice: own,
      rates: () => ({
        crashBefore: faults.rate('process', 'crashBefore'),
        crashAfter: faults.rate('process', 'crashAfter'),
      }),
      onAnswer(request, answer) {
        trace.say(() => `${name} asks ${request.path} ${JSON.stringify(request.query ?? {})} ${answer}`);
      },
      onDeath(why) {
        if (why.startsWith('before')) faults.fired('process', 'crashBefore');
        if (why.startsWith('after')) faults.fired('process', 'crashAfter');
        trace.say(() => `${name} dies ${why}`);
        onDeath();
      },
    });
  }

  function startOneBridge(mode: 'follow' | 'catch-up'): void {
    const process = spawn('run', () => scheduler.after(0, gone));
    const bridge: BridgeProcess = startBridge({
      process,
      settings: { ...profile.settings, mode },
      store: parts.store(),
      sinks: parts.sinks,
      source: parts.source.open(process),
      onRefused: (why) => fail(8, `${process.name} was refused by the gateway: ${why}`),
      onReport(entry) {
        trace.say(() => `${process.name} says ${entry.severity}: ${entry.message}`);
        watchers.onReport(process, entry);
      },
      onInventory: (clusters: readonly ClusterInfo[], problems: readonly Problem[]) =>
        watchers.onInventory(process, clusters, problems),
      onEnded: () => scheduler.after(0, () => ended()),
    });
    bridges.push(bridge);
    watchers.onBridgeStart(bridge);

    function gone(): void {
      bridges = bridges.filter((other) => other !== bridge);
      watchers.onBridgeEnd(bridge);
      again(() => {
        if (!bridges.some((other) => other.settings.mode === 'follow')) startOneBridge('follow');
      });
    }

    function ended(): void {
      if (standsStill(process, ended)) return;
      trace.say(
        () => `${process.name} ends${bridge.ended?.error === undefined ? '' : `: ${messageOf(bridge.ended.error)}`}`,
      );
      checkEnd(process, bridge.ended?.error);
      process.exit();
      gone();
    }
  }

  function startOneTail(subscription: string): void {
    const process = spawn(subscription, () => scheduler.after(0, gone));
    const tail: TailProcess = startTail({
      process,
      subscription,
      store: parts.store(),
      pageBytes: profile.pageBytes,
      onArrival: (arrival) => watchers.onArrival(subscription, process, arrival),
      onMissed: (from, to) => watchers.onMissed(subscription, from, to),
      onEnded: () => scheduler.after(0, () => ended()),
    });
    tails.push(tail);

    function gone(): void {
      tails = tails.filter((other) => other !== tail);
      again(() => startOneTail(subscription));
    }

    function ended(): void {
      if (standsStill(process, ended)) return;
      trace.say(
        () => `${process.name} ends${tail.ended?.error === undefined ? '' : `: ${messageOf(tail.ended.error)}`}`,
      );
      checkEnd(process, tail.ended?.error);
      process.exit();
      gone();
    }
  }

  /** True where the process stands still: it has not ended before it goes on, and what it waited for has come back to it. */
  function standsStill({ owner }: SimProcess, then: () => void): boolean {
    if (owner.frozenUntil <= scheduler.now()) return false;
    scheduler.after(0, () => scheduler.after(0, then, owner), owner);
    return true;
  }

  /** A process that ended has left nothing behind, and said why in our own words. */
  function checkEnd(process: SimProcess, error: unknown): void {
    const left = scheduler.pending(process.owner);
    if (left > 0) fail('liveness', `${process.name} ended and left ${left} timers behind`);
    if (process.calls > 0) fail('liveness', `${process.name} ended while ${process.calls} of its calls were under way`);
    if (error !== undefined && !(error instanceof Mk8sError)) {
      fail('liveness', `${process.name} ended with an error that is not ours: ${messageOf(error)}`);
    }
  }

  function again(start: () => void): void {
    const delay = calm ? 1_000 : choice.int(RESTART_MS);
    scheduler.after(delay, () => {
      if (!over) start();
    });
  }

  /** Told to stop, it has to end in time, whatever else goes on. One that stands still hears of it when it goes on. */
  function stopOne(run: BridgeProcess | TailProcess): void {
    const { process } = run;
    trace.say(() => `${process.name} is told to stop`);
    const hear = (): void => {
      run.stop();
      scheduler.after(STOP_MS + SLACK_MS, () => {
        const frozen = process.owner.frozenUntil > scheduler.now() - STOP_MS - SLACK_MS;
        if (process.alive && !frozen)
          fail('liveness', `${process.name} was told to stop and still runs after ${STOP_MS + SLACK_MS} ms`);
      });
    };
    if (process.owner.frozenUntil > scheduler.now()) scheduler.after(0, hear, process.owner);
    else hear();
  }

  return {
    begin() {
      startOneBridge('follow');
      for (const tail of parts.tails) startOneTail(tail);
    },
    step() {
      const running = bridges.filter(({ stopping }) => !stopping);
      if (faults.strikes('process', 'stop') && running.length > 0) stopOne(choice.pick(running));
      const processes = [...bridges, ...tails].map(({ process }) => process);
      if (faults.strikes('process', 'killed') && processes.length > 0) choice.pick(processes).kill('as it stands');
      if (faults.strikes('process', 'freeze') && bridges.length > 0) {
        const { process } = choice.pick(bridges);
        const ms = 5_000 + faults.dice('process', 'freeze').int(55_000);
        trace.say(() => `${process.name} stands still for ${ms} ms`);
        process.freeze(ms);
      }
      if (faults.strikes('process', 'overlap') && bridges.length < MOST_BRIDGES) {
        startOneBridge(faults.dice('process', 'overlap').chance(0.3) ? 'catch-up' : 'follow');
      }
    },
    calm() {
      calm = true;
      if (!bridges.some(({ settings, stopping }) => settings.mode === 'follow' && !stopping)) startOneBridge('follow');
    },
    stop() {
      over = true;
      for (const run of [...bridges, ...tails]) stopOne(run);
    },
    get bridges() {
      return bridges;
    },
    get tails() {
      return tails;
    },
    isAlive: (pid) => [...bridges, ...tails].some(({ process }) => process.pid === pid && process.alive),
  };
}

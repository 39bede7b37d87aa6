// An event bus of a simulation, behind the production code's lanes: each change is a message that arrives, or not, and is
// acknowledged, or not. A message on its way does not care whether its sender still lives.
import { createLanes } from '../../lib/adapters/http/lanes.ts';
import { createSemaphore } from '../../lib/async/semaphore.ts';
import { cloudEventAttributes } from '../../lib/model/cloud-event.ts';
import { Mk8sError } from '../../lib/model/errors.ts';
import type { Revision } from '../../lib/model/revision.ts';
import { streamKey } from '../../lib/model/stream.ts';
import type { DeadLetterStore, EventSink } from '../../lib/ports/event-sink.ts';
import type { Faults } from './fault-dice.ts';
import type { SimProcess } from './process.ts';
import type { Dice } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** What arrives at a subscriber, bus or tail: the event's attributes and the object, and which revision it was made of. */
export interface Arrival {
  readonly attributes: ReturnType<typeof cloudEventAttributes>;
  readonly object: Uint8Array;
  readonly revision: Revision;
}

export interface SinkWatcher {
  onArrival(sink: string, process: SimProcess, arrival: Arrival): void;
  /** The sender was told that it arrived, or that it never will. */
  onSettled(sink: string, process: SimProcess, revision: Revision, how: 'acknowledged' | 'refused'): void;
  onBatch(sink: string, process: SimProcess, batch: readonly Revision[], phase: 'begins' | 'ends'): void;
}

export interface SimSink {
  readonly name: string;
  /** The sink as one process has opened it. */
  open(process: SimProcess, deadLetters: DeadLetterStore): EventSink;
  /** Refuses everything until then. */
  goDown(ms: number): void;
  /** Refuses everything of one stream until then. */
  refuseStream(key: string, ms: number): void;
  calm(): void;
}

/** A message takes this long each way, milliseconds; slow ones up to twenty seconds. */
const LATENCY_MS = 20;
const SLOW_MS = 20_000;
/** Requests open at once of one process, as the webhook's default. */
const CONCURRENCY = 8;

export interface SinkOptions {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly dice: Dice;
  readonly watcher: SinkWatcher;
}

export function createSimSink({ name, scheduler, faults, dice, watcher }: SinkOptions): SimSink {
  const latency = dice.fork('latency');
  const lost = dice.fork('lost with the sender');
  const refusing = new Map<string, number>();
  let downUntil = 0;

  async function send(
    process: SimProcess,
    deadLetters: DeadLetterStore,
    revision: Revision,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = process;
    const there =
      latency.int(LATENCY_MS) + (faults.strikes('sink', 'slow') ? faults.dice('sink', 'slow').int(SLOW_MS) : 0);
    const refuses = faults.strikes('sink', 'refuses');
    const failsLane = faults.strikes('sink', 'laneFails');
    const losesAck = faults.strikes('sink', 'duplicates');
    const dropped = lost.chance(0.5);
    const answer: { is: 'taken' | 'down' | 'failed' | 'refused' } = { is: 'taken' };
    // It arrives even where nobody waits for the answer any more.
    scheduler.after(there, () => {
      if (scheduler.now() < downUntil) answer.is = 'down';
      else if (failsLane || scheduler.now() < (refusing.get(streamKey(revision.stream)) ?? 0)) answer.is = 'failed';
      else if (refuses) answer.is = 'refused';
      else if (dropped && (signal.aborted || !process.alive)) answer.is = 'failed';
      if (answer.is !== 'taken') return;
      const attributes = cloudEventAttributes(revision);
      watcher.onArrival(name, process, { attributes, object: revision.object, revision });
    });
    await clock.sleep(there, signal);
    await clock.sleep(latency.int(LATENCY_MS), signal);
    if (answer.is === 'refused') {
      const { sequence } = revision;
      const { id } = cloudEventAttributes(revision);
      const letter = { sink: name, stream: streamKey(revision.stream), sequence, id, reason: 'answered 422' };
      await deadLetters.put({ ...letter, at: clock.now() });
      return watcher.onSettled(name, process, revision, 'refused');
    }
    if (answer.is === 'down') throw failure('it refused the connection', 'unreachable');
    if (answer.is === 'failed') throw failure('it answered 503', 'http');
    if (losesAck) throw failure('the connection broke before its answer', 'interrupted');
    watcher.onSettled(name, process, revision, 'acknowledged');
  }

  return {
    name,
    open(process, deadLetters) {
      const lanes = createLanes(createSemaphore(CONCURRENCY), (revision, signal) =>
        process.call('send', () => send(process, deadLetters, revision, signal)),
      );
      return process.guard(name, {
        name,
        async publish(batch: readonly Revision[], signal: AbortSignal) {
          watcher.onBatch(name, process, batch, 'begins');
          try {
            await lanes.publish(batch, signal);
          } finally {
            watcher.onBatch(name, process, batch, 'ends');
          }
        },
        close: () => Promise.resolve(),
      });
    },
    goDown(ms) {
      downUntil = Math.max(downUntil, scheduler.now() + ms);
    },
    refuseStream(key, ms) {
      refusing.set(key, scheduler.now() + ms);
    },
    calm() {
      downUntil = 0;
      refusing.clear();
    },
  };
}

function failure(why: string, code: 'unreachable' | 'http' | 'interrupted'): Mk8sError {
  return new Mk8sError(`Cannot publish to the simulated sink: ${why}`, { code, retryable: true });
}

// Time in a simulation. It passes only when nothing else can happen: once every promise that can settle has, the earliest
// timer is due. Hours pass in milliseconds, and the order of things depends on no machine.
import type { Clock } from '../../lib/ports/clock.ts';

/** Whose timers they are: a process that may end or stand still. */
export interface TimerOwner {
  /** Once false, its timers never fire. */
  readonly alive: boolean;
  /** Its timers wait until then, milliseconds since 1970; 0 where it runs. */
  readonly frozenUntil: number;
}

export interface Scheduler {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A clock that goes wrong by `skewMs`; its sleepers belong to `owner`. */
  clock(owner?: TimerOwner, skewMs?: number): Clock;
  /** Runs `act` after `ms`, unless the owner has ended by then. */
  after(ms: number, act: () => void, owner?: TimerOwner): void;
  /** Lets time pass until `until`, or until `over` says so; it is asked whenever nothing more happens at a moment. */
  run(until: number, over: () => boolean): Promise<void>;
  /** Sleepers and timers of an owner that are still to come. */
  pending(owner: TimerOwner): number;
  /** Timers that fired so far. */
  readonly fired: number;
}

interface Timer {
  at: number;
  readonly order: number;
  readonly owner: TimerOwner;
  act: (() => void) | undefined;
}

const nobody: TimerOwner = { alive: true, frozenUntil: 0 };

/** Begins at 2026-01-01T00:00:00Z. */
export function createScheduler(): Scheduler {
  const idle = createIdle();
  const timers = createHeap();
  let now = Date.UTC(2026, 0, 1);
  let order = 0;
  let fired = 0;

  function add(at: number, owner: TimerOwner, act: () => void): Timer {
    order += 1;
    const timer = { at, order, owner, act };
    timers.push(timer);
    return timer;
  }

  function sleep(owner: TimerOwner, ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const abort = (): void => {
        timer.act = undefined;
        reject(signal?.reason as Error);
      };
      const timer = add(now + Math.max(0, ms), owner, () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** The next timer that may fire, if it is due by then. */
  function take(until: number): Timer | undefined {
    for (;;) {
      const timer = timers.peek();
      if (timer === undefined || timer.at > until) return undefined;
      timers.pop();
      if (timer.act === undefined || !timer.owner.alive) continue;
      if (timer.owner.frozenUntil <= timer.at) return timer;
      timer.at = timer.owner.frozenUntil;
      timers.push(timer);
    }
  }

  return {
    now: () => now,
    clock: (owner = nobody, skewMs = 0) => ({
      now: () => now + skewMs,
      sleep: (ms, signal) => sleep(owner, ms, signal),
    }),
    after: (ms, act, owner = nobody) => void add(now + ms, owner, act),
    async run(until, over) {
      for (;;) {
        await idle();
        if (over()) return;
        const timer = take(until);
        if (timer === undefined) break;
        now = Math.max(now, timer.at);
        fired += 1;
        timer.act?.();
      }
      now = Math.max(now, until);
    },
    pending: (owner) => timers.count((timer) => timer.act !== undefined && timer.owner === owner),
    get fired() {
      return fired;
    },
  };
}

/** Now and then the event loop gets a turn: that is when unhandled rejections are told and memory is given back. */
const TICKS_PER_TURN = 64;

/**
 * Resolves when every promise that can settle has: nothing in a simulation waits for anything but promises and the
 * simulated clock, and Node runs the next tick when no promise has anything more to do. A tenth of the cost of a turn of
 * the event loop.
 */
function createIdle(): () => Promise<void> {
  let ticks = 0;
  return () =>
    new Promise((resolve) => {
      ticks += 1;
      if (ticks % TICKS_PER_TURN === 0) setImmediate(resolve);
      else process.nextTick(resolve);
    });
}

/** A binary heap: the earliest first, then the one that was added first. */
function createHeap(): {
  push(timer: Timer): void;
  peek(): Timer | undefined;
  pop(): void;
  count(matches: (timer: Timer) => boolean): number;
} {
  const heap: Timer[] = [];
  const before = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

  function swap(a: number, b: number): void {
    [heap[a], heap[b]] = [heap[b] as Timer, heap[a] as Timer];
  }

  return {
    push(timer) {
      let place = heap.push(timer) - 1;
      while (place > 0) {
        const parent = (place - 1) >> 1;
        if (!before(heap[place] as Timer, heap[parent] as Timer)) return;
        swap(place, parent);
        place = parent;
      }
    },
    peek: () => heap[0],
    pop() {
      const last = heap.pop();
      if (last === undefined || heap.length === 0) return;
      heap[0] = last;
      for (let place = 0; ; ) {
        const left = 2 * place + 1;
        const right = left + 1;
        let least = place;
        if (left < heap.length && before(heap[left] as Timer, heap[least] as Timer)) least = left;
        if (right < heap.length && before(heap[right] as Timer, heap[least] as Timer)) least = right;
        if (least === place) return;
        swap(place, least);
        place = least;
      }
    },
    count: (matches) => heap.filter(matches).length,
  };
}

// A simulated operating system process: it can crash at any await, stand still, or end in order. Everything it does goes
// through ports; once it is dead, no call of it has an effect and none ever returns.
import { messageOf } from '../../lib/model/errors.ts';
import type { ApiRequest, ApiResponse, ApiServer } from '../../lib/ports/api-server.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { Dice } from './random.ts';
import type { Scheduler, TimerOwner } from './scheduler.ts';

interface CrashRates {
  readonly crashBefore: number;
  readonly crashAfter: number;
}

/** A wait for more of a body. */
interface Pull {
  readonly server: string;
  readonly path: string;
}

export interface SimProcess {
  readonly name: string;
  readonly pid: number;
  readonly alive: boolean;
  /** Calls through ports that are under way. */
  readonly calls: number;
  /** Whose its timers are. */
  readonly owner: TimerOwner;
  readonly clock: Clock;
  readonly dice: Dice;
  /** Aborts when it dies: connections are closed by the operating system. */
  readonly died: AbortSignal;
  /** A call through a port: it may be the one at which the process dies. */
  call<T>(what: string, act: () => Promise<T>): Promise<T>;
  /** The same port, its methods called through `call`. All of them must return promises. */
  guard<Port extends object>(name: string, port: Port): Port;
  guardApi(api: ApiServer): ApiServer;
  /** Requests whose bodies it waits for right now. */
  readonly pulls: ReadonlySet<Pull>;
  kill(why: string): void;
  /** Stands still for so long, milliseconds. */
  freeze(ms: number): void;
  /** It ended by itself. */
  exit(): void;
}

export interface ProcessOptions {
  readonly name: string;
  readonly pid: number;
  readonly scheduler: Scheduler;
  readonly skewMs: number;
  readonly dice: Dice;
  /** Asked at every call: faults end in the calm phase. */
  readonly rates: () => CrashRates;
  readonly onDeath: (why: string) => void;
  /** A request was answered, or failed. */
  readonly onAnswer: (request: ApiRequest, answer: string) => void;
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

export function createProcess({
  name,
  pid,
  scheduler,
  skewMs,
  dice,
  rates,
  onDeath,
  onAnswer,
}: ProcessOptions): SimProcess {
  const died = new AbortController();
  const before = dice.fork('crash before');
  const after = dice.fork('crash after');
  let alive = true;
  let frozenUntil = 0;
  let calls = 0;
  const pulls = new Set<Pull>();
  const owner: TimerOwner = {
    get alive() {
      return alive;
    },
    get frozenUntil() {
      return frozenUntil;
    },
  };
  const clock = scheduler.clock(owner, skewMs);

  function kill(why: string): void {
    if (!alive) return;
    alive = false;
    died.abort(new Error(`process ${name} died`));
    onDeath(why);
  }

  async function call<T>(what: string, act: () => Promise<T>): Promise<T> {
    if (!alive) return await never();
    if (before.chance(rates().crashBefore)) {
      kill(`before ${what}`);
      return await never();
    }
    calls += 1;
    try {
      return await act();
    } finally {
      calls -= 1;
      // Whatever it was, a dead process does not hear of it.
      if (alive && after.chance(rates().crashAfter)) kill(`after ${what}`);
      if (!alive) await never();
      while (frozenUntil > scheduler.now()) await clock.sleep(0);
    }
  }

  function guard<Port extends object>(portName: string, port: Port): Port {
    const guarded = Object.entries(port).map(([method, value]: [string, unknown]) => {
      if (typeof value !== 'function') return [method, value];
      return [
        method,
        (...args: unknown[]) => call(`${portName}.${method}`, () => value.apply(port, args) as Promise<unknown>),
      ];
    });
    return Object.fromEntries(guarded) as Port;
  }

  async function* guardBody(body: ApiResponse['body'], pull: Pull): AsyncGenerator<readonly Uint8Array[]> {
    const parts = body[Symbol.asyncIterator]();
    let ended = false;
    try {
      for (;;) {
        pulls.add(pull);
        const part = await call('body', () => parts.next()).finally(() => pulls.delete(pull));
        ended = part.done === true;
        if (ended) return;
        yield part.value;
      }
    } finally {
      if (!ended && alive) await parts.return?.();
    }
  }

  function guardApi(api: ApiServer): ApiServer {
    return {
      server: api.server,
      close: () => call('close', () => api.close()),
      request: (request) =>
        call('request', async () => {
          const signal = request.signal === undefined ? died.signal : AbortSignal.any([request.signal, died.signal]);
          const response = await api.request({ ...request, signal }).catch((error: unknown) => {
            onAnswer(request, messageOf(error));
            throw error;
          });
          onAnswer(request, String(response.status));
          return { ...response, body: guardBody(response.body, { server: api.server, path: request.path }) };
        }),
    };
  }

  return {
    name,
    pid,
    dice,
    owner,
    clock,
    died: died.signal,
    pulls,
    get alive() {
      return alive;
    },
    get calls() {
      return calls;
    },
    call,
    guard,
    guardApi,
    kill,
    freeze(ms) {
      frozenUntil = Math.max(frozenUntil, scheduler.now() + ms);
    },
    exit() {
      alive = false;
      died.abort(new Error(`process ${name} ended`));
    },
  };
}

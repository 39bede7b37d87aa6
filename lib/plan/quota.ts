// Keeps a gateway's quotas (promise 8: what waits for a turn delays only those that share the gateway). Streams take turns,
// first come, first served; requests are paid from a bucket that fills at the quota's rate.
import { patience } from '../async/retry-after.ts';
import { createSemaphore } from '../async/semaphore.ts';
import type { ApiRequest, ApiResponse, ApiServer } from '../ports/api-server.ts';
import type { Clock } from '../ports/clock.ts';
import type { Quota, QuotaPlace, QuotaTurn, TurnKind } from '../ports/quota.ts';
import { REQUESTS_PER_TURN, SLICE_SECONDS } from './slices.ts';

export interface QuotaLimits {
  readonly streams: number;
  readonly requestsPerMinute: number;
}

export interface SharedQuota {
  /** The same server, whose requests count, with the quota that is to be asked before something begins. */
  open(api: ApiServer): ApiServer;
}

/** Lists at a time: a page then waits for a few others only, and a list is complete before its continue token expires. */
const LISTS = 8;
/**
 * Of the requests a minute, this share may be made at once; the bucket fills at the rest. So no minute has more than the
 * quota, whenever it begins.
 */
const BURST = 0.1;
/** After a refusal that does not say for how long, milliseconds. */
const REFUSED_MS = 5_000;

/** One gateway's quota, as large as this process may use of it. */
export function createQuota(name: string, limits: QuotaLimits, clock: Clock): SharedQuota {
  const rate = createRate(limits.requestsPerMinute, clock);
  const turns = createTurns(limits.streams);

  function open(api: ApiServer): ApiServer {
    /** Requests that were admitted and not made yet. */
    let paid = 0;
    async function pay(kind: 'begins' | 'goes on', requests: number, signal: AbortSignal): Promise<void> {
      await rate.take(
        kind,
        () => {
          const missing = Math.max(0, requests - paid);
          paid += missing;
          return missing;
        },
        signal,
      );
    }
    const admit: Quota['admit'] = (requests, signal) => pay('begins', requests, signal);
    async function request(asked: ApiRequest): Promise<ApiResponse> {
      if (paid > 0) paid -= 1;
      else rate.owe(1);
      const response = await api.request(asked);
      if (response.status === 429) rate.refused(response);
      return response;
    }
    const quota: Quota = {
      name,
      admit,
      join: () => turns.join(admit, (signal) => pay('goes on', 1, signal)),
    };
    return { server: api.server, request, close: () => api.close(), quota };
  }
  return { open };
}

interface Rate {
  /**
   * Waits until there is something in the bucket, then takes out what `cost` says. What begins waits behind what began to
   * wait before, what goes on behind its like; of both, it is one after the other, so that neither waits for ever.
   */
  take(kind: 'begins' | 'goes on', cost: () => number, signal: AbortSignal): Promise<void>;
  /** Takes out what is not to wait: the bucket may owe. */
  owe(requests: number): void;
  refused(response: ApiResponse): void;
}

function createRate(perMinute: number, clock: Clock): Rate {
  const most = Math.max(1, perMinute * BURST);
  const perMs = Math.max(1, perMinute - most) / 60_000;
  const queues = { begins: createSemaphore(1), 'goes on': createSemaphore(1) };
  /** The first of either queue waits here. */
  const bucket = createSemaphore(1);
  let level = most;
  let filledAt = clock.now();
  let pause = { from: 0, until: 0 };

  function fill(): void {
    const now = clock.now();
    // The wall clock may have been set back.
    level = Math.min(most, level + Math.max(0, now - filledAt) * perMs);
    filledAt = now;
  }

  function waitMs(): number {
    fill();
    // A clock that was set back does not make it longer.
    const paused = clock.now() < pause.from ? 0 : pause.until - clock.now();
    return Math.ceil(Math.max(0, paused, (1 - level) / perMs));
  }

  return {
    async take(kind, cost, signal) {
      const leave = await queues[kind].acquire(signal);
      try {
        const done = await bucket.acquire(signal);
        try {
          for (let ms = waitMs(); ms > 0; ms = waitMs()) await clock.sleep(ms, signal);
          level -= cost();
        } finally {
          done();
        }
      } finally {
        leave();
      }
    },
    owe(requests) {
      fill();
      level -= requests;
    },
    refused({ headers }) {
      // An API server that is busy itself marks its answers so; the others behind the gateway are not.
      if (headers['audit-id'] !== undefined) return;
      const seconds = Number(headers['retry-after']);
      const asked = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : REFUSED_MS;
      const now = clock.now();
      pause = { from: now, until: Math.max(pause.until, now + patience(asked).waitMs) };
    },
  };
}

interface Turns {
  join(admit: Quota['admit'], next: QuotaTurn['next']): QuotaPlace;
}

function createTurns(streams: number): Turns {
  const free = { watch: createSemaphore(streams), list: createSemaphore(LISTS) };
  /** Watches that last as usual, the oldest first. */
  const long = new Set<AbortController>();
  /** Turns that are held or waited for. */
  const wanted = { watch: 0, list: 0 };
  let members = 0;

  async function acquire(what: TurnKind, signal: AbortSignal): Promise<() => void> {
    wanted[what] += 1;
    if (what === 'watch' && wanted.watch > streams) makeWay();
    try {
      const leave = await free[what].acquire(signal);
      let held = true;
      return () => {
        if (held) wanted[what] -= 1;
        held = false;
        leave();
      };
    } catch (error) {
      wanted[what] -= 1;
      throw error;
    }
  }

  /** Somebody waits for a stream: one that lasts as usual ends early. */
  function makeWay(): void {
    const [oldest] = long;
    if (oldest === undefined) return;
    long.delete(oldest);
    oldest.abort(new Error('another stream has its turn'));
  }

  function begun(what: TurnKind, next: QuotaTurn['next'], giveBack: () => void): QuotaTurn {
    const over = new AbortController();
    return {
      what,
      over: over.signal,
      watchSeconds(usual) {
        if (usual <= SLICE_SECONDS) return usual;
        if (members > streams) return SLICE_SECONDS;
        long.add(over);
        return usual;
      },
      next,
      end() {
        long.delete(over);
        giveBack();
      },
    };
  }

  function join(admit: Quota['admit'], next: QuotaTurn['next']): QuotaPlace {
    members += 1;
    let held: QuotaTurn | undefined;
    let left = false;
    return {
      async take(what, signal) {
        held?.end();
        const giveBack = await acquire(what, signal);
        try {
          await admit(REQUESTS_PER_TURN[what], signal);
        } catch (error) {
          giveBack();
          throw error;
        }
        held = begun(what, next, giveBack);
        return held;
      },
      leave() {
        held?.end();
        if (!left) members -= 1;
        left = true;
      },
    };
  }
  return { join };
}

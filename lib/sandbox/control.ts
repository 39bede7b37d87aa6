// The levers with which tests and other processes make a server misbehave.
import type { Authenticator } from './authentication.ts';
import type { Failure, Faults } from './faults.ts';
import type { JsonObject } from './json.ts';
import type { WatchListMode } from './list-options.ts';
import type { Listener } from './listener.ts';
import type { Snapshot, Store } from './store.ts';

interface Parts {
  readonly store: Store;
  readonly faults: Faults;
  readonly listener: Listener;
  readonly authenticator: Authenticator;
  readonly now: () => number;
  /** Called after a backup was restored. */
  readonly restored: () => void;
}

export interface Restart {
  /** How long connections are refused, in ms. Default 200. */
  readonly down?: number;
  /** How long after that watches get 429 "storage is (re)initializing", in ms. Default 300. */
  readonly initializing?: number;
  /** Whether the watch caches start empty, so that watches from before get 410. Default true, as a real server. */
  readonly forget?: boolean;
}

export class Control {
  readonly #parts: Parts;
  #busy: Promise<void> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Resets every connection. */
  drop(): void {
    this.#parts.listener.drop();
  }

  /** Connections stay open, and silent. */
  hang(): void {
    this.#parts.faults.hang();
  }

  resume(): void {
    this.#parts.faults.resume();
  }

  /** Each request waits this long before it is served. */
  delay(milliseconds: number): void {
    this.#parts.faults.delayMs = milliseconds;
  }

  /** The next pieces of watches break off in the middle of a line. */
  truncate(times = 1): void {
    this.#parts.faults.truncate(times);
  }

  /** The next requests fail: 429 with Retry-After, 500, 503, 401 … */
  fail(failure: Failure): void {
    this.#parts.faults.fail(failure);
  }

  /** Forgets history up to a resourceVersion (default: now): watches and continue tokens from before it get 410. */
  compact(revision?: number): void {
    this.#parts.store.compact(revision);
  }

  watchList(mode: WatchListMode): void {
    this.#parts.faults.watchList = mode;
  }

  /** From now on the token is answered 401. Open watches live on, as they do on real servers. */
  revoke(token: string): void {
    this.#parts.authenticator.revoke(token);
  }

  addToken(token: string): void {
    this.#parts.authenticator.addAdminToken(token);
  }

  /** A backup of the present, or of an earlier resourceVersion that history reaches. */
  snapshot(revision?: number): Snapshot {
    return this.#parts.store.snapshot(revision);
  }

  /** Restores a backup as an etcd is restored: the resourceVersion goes back, connections end, the cluster id stays. */
  rewind(to: Snapshot | number): void {
    const { store, listener, restored } = this.#parts;
    store.restore(typeof to === 'number' ? store.snapshot(to) : to);
    restored();
    listener.drop();
  }

  /** Goes down and comes back on the same port and data. Resolves when it listens again. */
  async restart({ down = 200, initializing = 300, forget = true }: Restart = {}): Promise<void> {
    const { listener, faults, store, now } = this.#parts;
    const done = this.#busy.then(async () => {
      await listener.close();
      if (forget) for (const collection of store.collections.values()) collection.watchFloor = store.revision;
      await new Promise((resolve) => setTimeout(resolve, down));
      faults.initializingUntil = now() + initializing;
      await listener.listen();
    });
    this.#busy = done.catch(() => undefined);
    return done;
  }

  /** Ends every open watch cleanly, after what has happened until now: as timeouts do, and changes of definitions. */
  endWatches(): void {
    for (const { watches } of this.#parts.store.collections.values()) for (const end of watches) end();
  }

  /** Resolves when at least this many watches are open, of all resources together. */
  async watches(count: number): Promise<void> {
    const open = (): number =>
      [...this.#parts.store.collections.values()].reduce((sum, { watches }) => sum + watches.size, 0);
    while (open() < count) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Ends all misbehaviour. */
  reset(): void {
    this.#parts.faults.reset();
  }

  /** Resolves when no restart is under way. */
  async settled(): Promise<void> {
    await this.#busy;
  }

  /** Performs an action by name, for other processes. Throws an Error that lists the actions for an unknown one. */
  perform(action: string, parameters: JsonObject): JsonObject {
    const number = (name: string): number | undefined => {
      const value = parameters[name];
      return typeof value === 'number' ? value : undefined;
    };
    const actions: Record<string, () => void> = {
      drop: () => this.drop(),
      hang: () => this.#hangFor(number('milliseconds') ?? 1000),
      resume: () => this.resume(),
      delay: () => this.delay(number('milliseconds') ?? 0),
      endWatches: () => this.endWatches(),
      truncate: () => this.truncate(number('times') ?? 1),
      compact: () => this.compact(number('resourceVersion')),
      watchList: () => this.watchList(modeOf(parameters['mode'])),
      restart: () => {
        const { down = 200, initializing = 300 } = { down: number('down'), initializing: number('initializing') };
        void this.restart({ down, initializing, forget: parameters['forget'] !== false });
      },
      rewind: () => this.rewind(number('resourceVersion') ?? missing('resourceVersion')),
      revoke: () => this.revoke(typeof parameters['token'] === 'string' ? parameters['token'] : missing('token')),
      reset: () => this.reset(),
      status: () => undefined,
      fail: () => {
        const retryAfter = number('retryAfter');
        const path = parameters['path'];
        this.fail({
          code: number('code') ?? missing('code'),
          times: number('times') ?? 1,
          ...(retryAfter === undefined ? {} : { retryAfter }),
          ...(typeof path === 'string' ? { path } : {}),
        });
      },
    };
    const found = actions[action];
    if (found === undefined) throw new Error(`no action "${action}"; there are ${Object.keys(actions).join(', ')}`);
    found();
    const { store, listener } = this.#parts;
    return { resourceVersion: String(store.revision), connections: listener.connections };
  }

  /** Over HTTP a hanging server could not be told to resume. */
  #hangFor(milliseconds: number): void {
    this.hang();
    setTimeout(() => this.resume(), milliseconds).unref();
  }
}

function modeOf(value: unknown): WatchListMode {
  const mode = (['on', 'off', 'old', 'ignore'] as const).find((known) => known === value);
  if (mode === undefined) throw new Error('mode is one of on, off, old, ignore');
  return mode;
}

function missing(name: string): never {
  throw new Error(`the parameter "${name}" is missing`);
}

// One API server process of a cluster: what it serves, its watch caches, and what it can't do yet while it starts.
import type { Dice } from '../random.ts';
import type { Body } from './body.ts';
import { nameOf, type SimResource } from './sim-object.ts';
import type { Store, Table } from './store.ts';
import type { After } from './timers.ts';
import type { Watch } from './watch.ts';

/** How a process serves one resource. */
export interface Serving {
  readonly resource: SimResource;
  readonly table: Table;
  readonly versions: readonly string[];
  /** Names the spec that it is served by: uid and generation of the CRD. */
  readonly definition: string;
  /** The rv at which its watch cache was filled: nothing before is known. */
  readonly filledAt: number;
}

/** What is not possible before, milliseconds since 1970 (recording 80-restart/startup/TIMELINE). */
export interface Startup {
  /** Until then no CRD is served: discovery does not list it and its paths are unknown. */
  readonly definitions: number;
  /** Until then a watch is answered with 429 while lists work. */
  readonly watches: number;
}

export class ApiProcess {
  readonly watches = new Set<Watch>();
  /** Bodies of answers that are not read to their end. */
  readonly connections = new Set<Body>();
  dead = false;
  readonly startup: Startup;
  /** A process that was told to stop: it accepts nothing, and its open watches go on (recording 80-restart/sigterm). */
  leaving = false;
  /** Groups of aggregated APIs whose server does not answer. */
  readonly failing = new Set<string>();
  /** The rv at which it filled the watch caches that it has from its start on. */
  readonly filledAt: number;
  readonly #served = new Map<string, Serving>();
  readonly #store: Store;
  readonly #window: number;
  /** Tables' length as this process knows it; absent where it knows all. */
  #behind: Map<Table, number> | undefined;

  /** `window`: events that each watch cache holds. */
  constructor(store: Store, window: number, startup: Startup) {
    this.#store = store;
    this.#window = window;
    this.startup = startup;
    this.filledAt = store.rv;
  }

  served(name: string): Serving | undefined {
    return this.#served.get(name);
  }

  get all(): Iterable<Serving> {
    return this.#served.values();
  }

  /** Serves a resource, in this spec: with an empty watch cache where it was not served so before. */
  serve(table: Table, versions: readonly string[], definition: string): void {
    const name = nameOf(table.resource);
    if (this.#served.get(name)?.definition === definition) return;
    this.#served.set(name, { resource: table.resource, table, versions, definition, filledAt: this.#store.rv });
    this.#endWatches(table);
  }

  /** The definition is gone, or not known yet. */
  withdraw(table: Table): void {
    if (this.#served.delete(nameOf(table.resource))) this.#endWatches(table);
  }

  /** Events of a table that this process knows. */
  known(table: Table): number {
    return this.#behind?.get(table) ?? table.events.length;
  }

  get isBehind(): boolean {
    return this.#behind !== undefined;
  }

  /** The oldest rv from which a watch is possible: as in watch_cache.go, of the fill, or before the oldest event held. */
  oldest({ table, filledAt }: Serving): number {
    const { events } = table;
    const held = events[this.known(table) - this.#window - 1];
    const next = events[this.known(table) - this.#window];
    return held !== undefined && next !== undefined && held.object.rv > filledAt ? next.object.rv - 1 : filledAt;
  }

  /** The watch caches stand still for a while, as those of a process that is overloaded or cut off from etcd. */
  lag(ms: number, after: After): void {
    if (this.#behind !== undefined) return;
    this.#behind = new Map([...this.#store.tables.values()].map((table) => [table, table.events.length]));
    after(ms, () => this.catchUp());
  }

  catchUp(): void {
    this.#behind = undefined;
    for (const watch of this.watches) watch.pump();
  }

  /** A write of this table can be told now. */
  announce(table: Table, dice: Dice, after: After): void {
    for (const watch of this.watches) {
      if (watch.table !== table) continue;
      // Mostly at once; sometimes a moment later, so that several come together.
      if (dice.chance(0.2)) after(1 + dice.int(30), () => watch.pump());
      else watch.pump();
    }
  }

  /** All connections break. */
  kill(): void {
    this.dead = true;
    for (const connection of this.connections) connection.break();
  }

  #endWatches(table: Table): void {
    for (const watch of this.watches) if (watch.table === table) watch.end();
  }
}

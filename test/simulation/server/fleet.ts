// The API server processes of one cluster: one or two, each with its own watch caches, started and stopped.
import type { Dice } from '../random.ts';
import { ApiProcess } from './api-process.ts';
import type { Body } from './body.ts';
import type { DefinitionWriter } from './definitions.ts';
import { nameOf, type SimResource } from './sim-object.ts';
import type { Store, Table } from './store.ts';
import type { After } from './timers.ts';

/** A process that was told to stop answers 503 for so long, and is then gone (recording 80-restart/sigterm-TIMELINE). */
const LEAVING_MS = 100;
/** An aggregated API that no test asks for; its server fails like others. */
const METRICS = 'metrics.k8s.io';

export interface FleetOptions {
  readonly store: Store;
  readonly size: number;
  /** Events that each watch cache holds. */
  readonly window: number;
  readonly resources: readonly SimResource[];
  readonly definitions: DefinitionWriter;
  readonly bodies: ReadonlySet<Body>;
  readonly dice: Dice;
  readonly now: () => number;
  readonly after: After;
}

export interface Fleet {
  /** The process that a request meets; undefined where nobody listens there. */
  reach(dice: Dice): ApiProcess | undefined;
  readonly cutOff: 'no' | 'refused' | 'silent';
  /** A write that was made. */
  readonly announce: (table: Table) => void;
  /** One process ends and another takes its place; `behindMs`: its watch caches then stay behind for so long. */
  restart(dice: Dice, behindMs?: number): void;
  lag(dice: Dice, ms: number): void;
  failAggregated(ms: number): void;
  /** Nobody may list or watch this resource (`widgets.example.com`) for so long. */
  deny(name: string, ms: number): void;
  isDenied(name: string): boolean;
  /** The way to the cluster is closed. */
  cut(how: 'refused' | 'silent', ms: number): void;
  stopAll(): void;
  startAll(inMs: number): void;
  calm(): void;
}

export function createFleet(options: FleetOptions): Fleet {
  const { store, size, window, resources, definitions, bodies, dice, now, after } = options;
  let processes: (ApiProcess | undefined)[] = [];
  /** Also those that were told to stop and still have watches open. */
  const living = new Set<ApiProcess>();
  let cut: { readonly how: 'refused' | 'silent'; readonly until: number } | undefined;
  let failingUntil = 0;
  /** Name of a resource → until when, milliseconds since 1970. */
  const denied = new Map<string, number>();

  /** Begins to listen now. `lateMs`: until CRDs are served, and until watches are. */
  function start(place: number, lateMs: readonly [number, number]): ApiProcess {
    const process = new ApiProcess(store, window, { definitions: now() + lateMs[0], watches: now() + lateMs[1] });
    processes[place] = process;
    living.add(process);
    if (now() < failingUntil) fail(process);
    for (const resource of resources) {
      if (resource.origin !== 'custom') process.serve(tableOf(resource), resource.versions, 'built in');
    }
    if (lateMs[0] === 0) follow(process);
    else after(lateMs[0], () => follow(process));
    return process;
  }

  function tableOf(resource: SimResource): Table {
    return store.tables.get(nameOf(resource)) as Table;
  }

  /** Serves what is defined now. */
  function follow(process: ApiProcess): void {
    if (!living.has(process) || now() < process.startup.definitions) return;
    for (const resource of resources) {
      if (resource.origin !== 'custom') continue;
      const definition = definitions.of(resource);
      const table = tableOf(resource);
      if (definition?.served === undefined) process.withdraw(table);
      else process.serve(table, definition.served, `${definition.uid} ${definition.generation}`);
    }
  }

  function fail(process: ApiProcess): void {
    process.failing.add(METRICS);
    for (const { origin, group } of resources) if (origin === 'aggregated') process.failing.add(group);
  }

  function kill(process: ApiProcess): void {
    living.delete(process);
    process.kill();
  }

  const late = (): [number, number] => [dice.int(3_000), dice.int(3_000)];
  processes = Array.from({ length: size }, (_, place) => start(place, [0, 0]));

  return {
    reach: (of) => processes[of.int(processes.length)],
    get cutOff() {
      return cut !== undefined && now() < cut.until ? cut.how : 'no';
    },
    announce(table) {
      for (const process of living) {
        process.announce(table, dice, after);
        // A definition takes effect 20 ms to 1.2 s after it was written (recording 05-crd).
        if (table.resource.kind === 'CustomResourceDefinition') after(20 + dice.int(1_200), () => follow(process));
      }
    },
    restart(own, behindMs) {
      const place = own.int(processes.length);
      const old = processes[place];
      if (old === undefined) return;
      const downMs = 200 + own.int(10_000);
      const { life } = store;
      if (own.chance(0.6)) {
        processes[place] = undefined;
        kill(old);
      } else {
        old.leaving = true;
        after(LEAVING_MS, () => {
          if (processes[place] === old) processes[place] = undefined;
        });
      }
      after(LEAVING_MS + downMs, () => {
        // A restore starts all of them itself.
        if (store.life !== life || processes[place] !== undefined) return;
        const process = start(place, late());
        if (behindMs !== undefined) process.lag(behindMs, after);
      });
    },
    lag(own, ms) {
      processes[own.int(processes.length)]?.lag(ms, after);
    },
    failAggregated(ms) {
      failingUntil = now() + ms;
      for (const process of living) fail(process);
      after(ms, () => {
        if (now() >= failingUntil) for (const process of living) process.failing.clear();
      });
    },
    deny: (name, ms) => void denied.set(name, now() + ms),
    isDenied: (name) => now() < (denied.get(name) ?? 0),
    cut(how, ms) {
      cut = { how, until: now() + ms };
      for (const body of bodies) body.cut(how);
    },
    stopAll() {
      processes = processes.map(() => undefined);
      for (const process of living) kill(process);
    },
    startAll(inMs) {
      const { life } = store;
      after(inMs, () => {
        if (store.life === life) processes.forEach((_, place) => start(place, late()));
      });
    },
    calm() {
      cut = undefined;
      failingUntil = 0;
      denied.clear();
      for (const process of living) {
        process.failing.clear();
        process.catchUp();
      }
      for (const body of bodies) body.quicken();
    },
  };
}

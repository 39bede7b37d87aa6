// What happened how often, by name: faults as `area.fault`, states and requests with prefixes of their own.

export interface Counters {
  count(what: string, times?: number): void;
  readonly all: ReadonlyMap<string, number>;
}

export function createCounters(): Counters {
  const all = new Map<string, number>();
  return { all, count: (what, times = 1) => void all.set(what, (all.get(what) ?? 0) + times) };
}

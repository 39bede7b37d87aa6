// Counts what was done, by kind.
export interface Damage {
  count(kind: string): void;
  /** `3 bridge killed, 1 disk filled`. */
  text(): string;
}

export function createDamage(): Damage {
  const counts = new Map<string, number>();
  return {
    count: (kind) => void counts.set(kind, (counts.get(kind) ?? 0) + 1),
    text: () =>
      [...counts]
        .toSorted(([a], [b]) => a.localeCompare(b))
        .map(([kind, count]) => `${kind} ${count}`)
        .join(', '),
  };
}

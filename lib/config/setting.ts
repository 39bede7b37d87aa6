// One value that somebody set, and where, so that a later complaint can say so.

export interface Setting {
  readonly value: unknown;
  /** `--deadline`, `MK8S_DEADLINE` or `mk8s.yaml:12`. */
  readonly origin: string;
}

/** A value for an error message: short, and without the password of a URL. */
export function describe(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  const safe = json.replace(/\/\/[^/@\s"]*@/g, '//…@');
  return safe.length > 80 ? `${safe.slice(0, 79)}…` : safe;
}

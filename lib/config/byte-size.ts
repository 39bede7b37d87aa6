// Byte counts as Kubernetes quantities and people write them: `64MiB`, `64Mi`, `1.5GB`, `65536`.

const units: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** Bytes of `64MiB`, `64Mi`, `1.5GB` or `65536`; undefined for anything else. */
export function parseByteSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kKMGT]i?)?B?$/.exec(text);
  if (match === null) return undefined;
  const bytes = Math.round(Number(match[1]) * (units[match[2] ?? ''] ?? Number.NaN));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

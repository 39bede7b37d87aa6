// Random Kubernetes objects in many spellings: as Go's encoders write them, and as nobody does but JSON allows.
import { pick } from '../../support/seeded-random.ts';

export type Random = () => number;

/** Text that looks like structure to a careless scanner, and text that is hard on encodings. */
const STRINGS = [
  '',
  'plain',
  'ďábelské ódy 🦄',
  'line\u2028separator\u2029',
  'quote " backslash \\ both \\" end \\',
  '}],"name":"wrong"',
  ']},"spec":{"a":1}}}',
  '},{"manager":"wrong","operation":"Update","time":"2099-01-01T00:00:00Z"}]',
  '"managedFields":[{"manager":"wrong","time":"2099-01-01T00:00:00Z"}],',
  '[[[{{{',
  ']]]}}}',
  'Z"Z',
  'tab\tnewline\nbell\u0007<&>',
  'x'.repeat(60),
  `${'long '.repeat(30)}"`,
  '\\"'.repeat(40),
];

/** Keys without a literal backslash: JSON.parse of Node 24.21 mixes those up. */
const KEYS = [
  'a',
  'name',
  'uid',
  'kind',
  'apiVersion',
  'metadata',
  'managedFields',
  'items',
  'object',
  'type',
  'time',
  'manager',
  '',
  'klíč',
  'a b',
  '"',
  '}',
  '],',
  'Z',
];

export interface Spelling {
  /** White space between tokens. */
  readonly spaced: boolean;
  /** Characters written as \u escapes where they need not be. */
  readonly escaped: boolean;
}

/** A random object's JSON. `typed: false` leaves out apiVersion and kind, as items of built-in lists do. */
export function randomObject(random: Random, options: { typed?: boolean } = {}): string {
  const spelling = { spaced: random() < 0.2, escaped: random() < 0.2 };
  const type = {
    apiVersion: pick(random, ['v1', 'example.com/v1', 'gateway.networking.k8s.io/v1']),
    kind: pick(random, ['Widget', 'HTTPRoute', 'ConfigMap']),
  };
  const object = {
    ...(options.typed === false ? {} : type),
    metadata: randomMetadata(random),
    ...members(random, 3, ['data', 'spec', 'status', 'Z', 'type', 'object', 'items']),
  };
  return spell(random, random() < 0.5 ? sorted(object) : shuffled(random, object), spelling);
}

function randomMetadata(random: Random): Record<string, unknown> {
  const metadata: Record<string, unknown> = {
    ...(random() < 0.5 ? { annotations: strings(random) } : {}),
    ...(random() < 0.5 ? { labels: strings(random) } : {}),
    ...(random() < 0.3 ? { creationTimestamp: pick(random, [null, '2026-11-22T15:41:25Z']), generation: 3 } : {}),
    ...(random() < 0.2 ? members(random, 2, ['ownerReferences', 'finalizers', 'selfLink', 'x']) : {}),
    ...(random() < 0.8 ? { managedFields: randomManagedFields(random) } : {}),
    ...(random() < 0.8 ? { namespace: pick(random, ['team-a', 'team-b', 'ns-"quoted"', 'ś', 'a'.repeat(70)]) } : {}),
    name: pick(random, ['w-03', 'a.b.c', 'with "quotes" and \\', 'ünïcödé', `n-${Math.floor(random() * 1e9)}`]),
    uid: `32aafeef-9aa6-4475-84a4-${Math.floor(random() * 1e12)}`,
    resourceVersion: String(1 + Math.floor(random() * 1e9)),
  };
  return random() < 0.5 ? (sorted(metadata) as Record<string, unknown>) : shuffled(random, metadata);
}

function randomManagedFields(random: Random): unknown {
  if (random() < 0.05) return pick(random, [null, []]);
  const odd = random() < 0.3;
  return Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
    const manager = {
      manager: pick(
        random,
        random() < 0.1 ? ['wire "recorder"', 'Z', 'ß', '', 'a]'] : ['kubectl', 'helm', 'a-manager'],
      ),
      operation: pick(random, ['Update', 'Apply']),
    };
    const time = { time: `2026-11-22T15:4${Math.floor(random() * 3)}:1${Math.floor(random() * 3)}Z` };
    const fields = { fieldsType: 'FieldsV1', fieldsV1: odd ? anything(random, 3) : fieldSet(random, 3) };
    const subresource = random() < 0.4 ? { subresource: 'status' } : {};
    const apiVersion = { apiVersion: 'example.com/v1' };
    const inStructOrder = { ...manager, ...apiVersion, ...time, ...fields, ...subresource };
    const entry = random() < 0.5 ? inStructOrder : sorted(inStructOrder);
    if (!odd) return entry;
    const kept = Object.fromEntries(Object.entries(entry).filter(() => random() < 0.9));
    return random() < 0.3 ? shuffled(random, kept) : kept;
  });
}

/** What fieldsV1 holds: objects in objects, keys with a prefix. */
function fieldSet(random: Random, depth: number): Record<string, unknown> {
  const keys = ['f:metadata', 'f:spec', 'f:Zone', '.', 'k:{"name":"x"}', 'f:items'];
  if (random() < 0.02) keys.push('v:"a]b"', 'k:{"a":[1]}', 'k:{"Z":1},{"a":"Z"}', '}],"x":"Z');
  return Object.fromEntries(
    keys.filter(() => random() < 0.4).map((key) => [key, depth > 0 ? fieldSet(random, depth - 1) : {}]),
  );
}

function strings(random: Random): Record<string, string> {
  return Object.fromEntries(KEYS.filter(() => random() < 0.15).map((key) => [key, pick(random, STRINGS)]));
}

function members(random: Random, depth: number, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    keys.filter(() => random() < 1.5 / keys.length).map((key) => [key, anything(random, depth)]),
  );
}

function anything(random: Random, depth: number): unknown {
  const what = random();
  if (depth > 0 && what < 0.3)
    return Array.from({ length: Math.floor(random() * 4) }, () => anything(random, depth - 1));
  if (depth > 0 && what < 0.65) return members(random, depth - 1, KEYS);
  return pick(random, [0, -1.5e30, true, false, null, ...STRINGS]);
}

function sorted(object: object): object {
  return Object.fromEntries(Object.entries(object).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function shuffled(random: Random, object: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object)
      .map((entry) => ({ entry, order: random() }))
      .toSorted((a, b) => a.order - b.order)
      .map(({ entry }) => entry),
  );
}

/** JSON in the given spelling. Without white space and escapes it is JSON.stringify's. */
export function spell(random: Random, value: unknown, spelling: Spelling): string {
  const gap = (): string => (spelling.spaced && random() < 0.4 ? pick(random, [' ', '\t', '  ', '\r']) : '');
  // Times stay plain: that nobody escapes those is relied upon.
  const text = (string: string): string =>
    spelling.escaped && !/^\d{4}-/.test(string) ? escaped(random, string) : JSON.stringify(string);
  const write = (part: unknown): string => {
    if (typeof part === 'string') return text(part);
    if (Array.isArray(part)) return `[${gap()}${part.map(write).join(`${gap()},${gap()}`)}${gap()}]`;
    if (typeof part !== 'object' || part === null) return JSON.stringify(part);
    const entries = Object.entries(part).map(([key, inner]) => `${text(key)}${gap()}:${gap()}${write(inner)}`);
    return `{${gap()}${entries.join(`${gap()},${gap()}`)}${gap()}}`;
  };
  return write(value);
}

function escaped(random: Random, string: string): string {
  const units = string
    .split('')
    .map((unit) =>
      random() < 0.1 ? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}` : JSON.stringify(unit).slice(1, -1),
    );
  // Halves of a surrogate pair become escapes one by one, which JSON allows.
  return `"${units.join('')}"`;
}

// JSON as no encoder writes it but the grammar allows it: every form of number and escape, white space anywhere, depth,
// the same key twice. Text, not values: what is written differently is what a scanner stumbles over.
import { pick } from '../support/seeded-random.ts';
import { below, type Random } from './mutate.ts';

const NUMBERS = [
  '0',
  '-0',
  '1',
  '-12',
  '0.5',
  '-0.0e-0',
  '1E5',
  '1e+5',
  '9007199254740993',
  '12345678901234567890.10',
  '1e309',
  '5e-324',
];
const PIECES = [
  'plain',
  ' ',
  '}',
  '{',
  ']',
  '[',
  ',',
  ':',
  '},"metadata":{"name":"inner"',
  String.raw`\"managedFields\":[`,
  'é',
  '🦄',
  '\u2028',
  '\u2029',
  '\u0085',
  '\ufeff',
  '\u007f',
  String.raw`\"`,
  String.raw`\\`,
  String.raw`\/`,
  String.raw`\b\f\n\r\t`,
  String.raw`\u0000`,
  String.raw`\u0041`,
  String.raw`\uD83E\uDD84`,
  String.raw`\ud800`,
  String.raw`\udc00x`,
  String.raw`\\\"`,
  'Z\\"',
  '],\\"x',
  String.raw`\u002c\u0022`,
];
const KEYS = [
  'a',
  'name',
  'metadata',
  'managedFields',
  'kind',
  'apiVersion',
  'uid',
  'resourceVersion',
  'items',
  'type',
  'object',
  'time',
  '',
  '__proto__',
  'constructor',
  String.raw`n\u0061me`,
  String.raw`k\\`,
  String.raw`\n`,
  String.raw`managed\u0046ields`,
];

/** White space, mostly none. */
export function gap(random: Random): string {
  return random() < 0.9 ? '' : pick(random, [' ', '\t', '\r', '  ', ' \t ']);
}

/** A string with its quotes. */
export function wildString(random: Random): string {
  if (random() < 0.005) return `"${pick(random, PIECES).repeat(random() < 0.1 ? 60_000 : 5000)}"`;
  const text = Array.from({ length: below(random, 5) }, () => pick(random, PIECES)).join('');
  return text.startsWith('"') ? '""' : `"${text}"`;
}

/** Any value. */
export function wildValue(random: Random, depth = 4): string {
  if (random() < 0.004) return deep(random, pick(random, [40, 500, 5000]));
  const way = depth <= 0 ? below(random, 3) : below(random, 6);
  if (way === 0) return pick(random, NUMBERS);
  if (way === 1) return pick(random, ['true', 'false', 'null']);
  if (way === 2) return wildString(random);
  const count = below(random, 5);
  if (way === 3) return `[${gap(random)}${list(random, count, () => wildValue(random, depth - 1))}${gap(random)}]`;
  return `{${gap(random)}${list(random, count, () => wildMember(random, depth - 1))}${gap(random)}}`;
}

/** A key, a colon and any value. */
export function wildMember(random: Random, depth = 3): string {
  const key = random() < 0.7 ? `"${pick(random, KEYS)}"` : wildString(random);
  return `${key}${gap(random)}:${gap(random)}${wildValue(random, depth)}`;
}

/** Parts with commas between them. */
function list(random: Random, count: number, part: () => string): string {
  return Array.from({ length: count }, part).join(`${gap(random)},${gap(random)}`);
}

function deep(random: Random, depth: number): string {
  return random() < 0.5
    ? `${'['.repeat(depth)}1${']'.repeat(depth)}`
    : `${'{"a":'.repeat(depth)}{}${'}'.repeat(depth)}`;
}

// What people write in flags: durations, sizes, patterns, conditions, times, against slow and plain readings of the same.
import { parseFrom } from '../../../lib/cli/tail/start.ts';
import { parseWhere } from '../../../lib/cli/tail/where.ts';
import { parseByteSize } from '../../../lib/config/byte-size.ts';
import { parseDuration } from '../../../lib/config/duration.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { formatGroupResource, parseGroupResource } from '../../../lib/model/resource.ts';
import { resourcePattern } from '../../../lib/plan/resource-pattern.ts';
import { pick } from '../../support/seeded-random.ts';
import { below, type Random } from '../mutate.ts';
import { type FuzzTarget, must } from '../target.ts';

export const words: FuzzTarget = {
  name: 'words',
  cases: 10_000,
  words: [
    '*',
    '**',
    '.',
    'ms',
    'd',
    '1e9',
    'Ki',
    'B',
    '|',
    '!=',
    '=',
    ',',
    ' ',
    'secrets',
    '9'.repeat(20),
    '\n',
    'a*'.repeat(20),
  ],
  generate,
  check,
};

/** The input is a word, and what a pattern is held against, one a line. */
function check(input: Buffer): string {
  const [word = '', name = ''] = input.toString('utf8').split('\n');
  const amounts = [parseDuration(word), parseByteSize(word)];
  for (const amount of amounts) {
    must(amount === undefined || (Number.isSafeInteger(amount) && amount >= 0), `"${word}" is ${amount}`);
  }
  must(amounts[0] === undefined || /^[\d.mshdw]+$/.test(word), `"${word}" is a duration`);
  const resource = parseGroupResource(name);
  const full = formatGroupResource(resource);
  const expected = full === 'secrets' ? word === 'secrets' : matches(word.toLowerCase(), full);
  must(resourcePattern(word)(resource) === expected, `"${word}" ${expected ? 'is not' : 'is'} a pattern of "${full}"`);
  const refusals = [() => parseWhere([word]).map((condition) => condition.matches(name)), () => parseFrom(word, 0)].map(
    refuses,
  );
  return amounts.some((amount) => amount !== undefined) || refusals.includes(false) ? 'read' : 'refused';
}

/** True where it throws the error that a person gets to see; other errors pass through. */
function refuses(parse: () => unknown): boolean {
  try {
    parse();
    return false;
  } catch (error) {
    if (!(error instanceof Mk8sError)) throw error;
    must(error.code === 'config', `it is refused as ${error.code}`);
    return true;
  }
}

/** `*` stands for any characters: all ways at once, character by character. */
function matches(pattern: string, text: string): boolean {
  let reached = new Set([0]);
  for (const char of pattern) {
    const next = new Set<number>();
    for (const at of reached) {
      if (char === '*') for (let to = at; to <= text.length; to++) next.add(to);
      else if (text.startsWith(char, at)) next.add(at + char.length);
    }
    reached = next;
  }
  return reached.has(text.length);
}

function generate(random: Random): Buffer {
  const few = (parts: readonly string[]): string =>
    Array.from({ length: 1 + below(random, 4) }, () => pick(random, parts)).join('');
  const word = pick(random, [
    () => `${below(random, 1000)}${pick(random, ['ms', 's', 'm', 'h', 'd', 'w', '', 'Mi', 'GiB', ' kB'])}`,
    () => few(['1h', '30m', '1.5d', '250ms', '0', '.5s', '1e3s', '-1m']),
    () => few(['a', '*', '.', 'istio', '.io', 'secrets', '-']),
    () => few(['cluster', 'name', 'type', '=', '!=', 'add', '*', '|', 'x', ' ']),
    () => pick(random, ['now', 'beginning', '2026-11-22', '2026-11-22T17:00:00Z', '2026-13-45T99:99:99Z', '10m']),
    () => `${'a*'.repeat(below(random, 30))}b`,
  ])();
  return Buffer.from(
    `${word}\n${few(['a', 'b', 'istio', '.', 'io', 'secrets', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'])}`,
  );
}

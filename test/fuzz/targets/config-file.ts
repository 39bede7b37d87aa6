// mk8s.yaml of any content: settings of the promised kinds, or complaints that name file and line.
import { readConfigText } from '../../../lib/config/file.ts';
import { check as checkKind } from '../../../lib/config/kinds.ts';
import { options } from '../../../lib/config/options.ts';
import { pick } from '../../support/seeded-random.ts';
import { below, type Random } from '../mutate.ts';
import { type FuzzTarget, must } from '../target.ts';

const KEYS = options.map(({ key }) => key);
const VALUES = [
  '1',
  '-1',
  '1.5',
  'true',
  '"x"',
  '[a, b]',
  '{a: 1}',
  'null',
  '64MiB',
  '1h',
  'none',
  '*a',
  '&a 1',
  '[*.istio.io, secrets]',
  '"https://h/"',
  '[[[[]]]]',
  '!!binary aGk=',
  '2001-01-01',
  '.inf',
  '[{resources: [x], fields: [a.b]}]',
];

export const configFile: FuzzTarget = {
  name: 'config-file',
  cases: 1000,
  words: [
    ...KEYS,
    '<<: *a\n',
    '&a ',
    '*a',
    '\n- ',
    '? ',
    '---\n',
    '__proto__: {polluted: 1}\n',
    '{',
    '[',
    '\t',
    '%YAML 1.1\n',
  ],
  generate,
  check,
};

async function check(input: Buffer): Promise<string> {
  const { settings, complaints } = await readConfigText(input.toString('utf8'), 'mk8s.yaml');
  for (const complaint of complaints) {
    must(/^mk8s\.yaml:\d+: ./s.test(complaint), `a complaint names no place: ${complaint.slice(0, 200)}`);
    must(complaint.length < 2000 + input.length, 'a complaint is endless');
  }
  for (const [key, { value, origin }] of settings) {
    const option = options.find((each) => each.key === key);
    must(option !== undefined, `there is no option ${key}`);
    must(/^mk8s\.yaml:\d+$/.test(origin), 'a setting comes from nowhere');
    must(typeof value !== 'number' || Number.isFinite(value), `${key} is ${String(value)}`);
  }
  must(({} as Record<string, unknown>)['polluted'] === undefined, 'a prototype was changed');
  must('mismatches' in checkKind('mode', {}), 'anything is a mode');
  return complaints.length > 0 ? 'complaints' : 'settings';
}

function generate(random: Random): Buffer {
  if (random() < 0.01) return Buffer.from(`a: ${'['.repeat(10_000)}`);
  const line = (key: string, depth: number): string => {
    const dot = key.indexOf('.');
    const indent = '  '.repeat(depth);
    if (dot < 0) return `${indent}${key}: ${pick(random, VALUES)}\n`;
    return `${indent}${key.slice(0, dot)}:\n${line(key.slice(dot + 1), depth + 1)}`;
  };
  return Buffer.from(Array.from({ length: 1 + below(random, 5) }, () => line(pick(random, KEYS), 0)).join(''));
}

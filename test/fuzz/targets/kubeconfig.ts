// A kubeconfig file of any content: contexts that can be used, and problems that name the file; never a throw, a prototype
// that was changed, or a secret in a message (promise 9).
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kubeconfigSource } from '../../../lib/adapters/kubernetes/kubeconfig.ts';
import { pick } from '../../support/seeded-random.ts';
import { below, type Random } from '../mutate.ts';
import { SECRETS, secretsOf } from '../secrets.ts';
import { type FuzzTarget, must } from '../target.ts';

let folder: string | undefined;

export const kubeconfig: FuzzTarget = {
  name: 'kubeconfig',
  cases: 500,
  words: [
    '<<: *a',
    '&a ',
    '*a',
    '- name: ',
    '{',
    '[',
    '|\n',
    '>-\n',
    '!!binary ',
    '!!js/function ',
    '? ',
    '__proto__: {polluted: 1}',
    '"',
    "'",
    '\t',
    '---\n',
    '%YAML 1.1\n',
    '~',
    'null',
    '0x1F',
    'extensions:\n',
    '{{{{{{{{{{{{{{',
    '[[[[[[[[[[[[[[',
  ],
  generate,
  check,
  close() {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  },
};

async function check(input: Buffer): Promise<string> {
  folder ??= await mkdtemp(join(tmpdir(), 'mk8s-fuzz-'));
  const path = join(folder, 'config');
  writeFileSync(path, input);
  const source = kubeconfigSource({ env: {}, home: folder, path });
  const { candidates, problems } = await source.discover();
  for (const { message } of problems) {
    must(message.includes(path), `a problem does not name the file: ${message}`);
    must(message.length < 2000 + input.length, 'a problem is endless');
    for (const secret of secretsOf(input)) must(!message.includes(secret), `a problem tells a secret: ${message}`);
  }
  for (const { name, server, namespace, fingerprint } of candidates) {
    must(
      [name, server, namespace, fingerprint].every((each) => typeof each === 'string'),
      'a context is half there',
    );
    must(/^https?:\/\//.test(server), `a context leads to ${server}`);
  }
  must(({} as Record<string, unknown>)['polluted'] === undefined, 'a prototype was changed');
  if (candidates.length > 0) return 'usable';
  return problems.length > 0 ? 'problems' : 'empty';
}

function generate(random: Random): Buffer {
  if (random() < 0.015) return Buffer.from(pick(random, BOMBS)());
  const odd = (usual: string): string => (random() < 0.9 ? usual : pick(random, ODD));
  const secret = (): string =>
    `${random() < 0.2 ? pick(random, ['*', '!', '|', '>', '!x!', '&', '@', '%', '"', '{', '- ']) : ''}${pick(random, SECRETS)}`;
  const user = pick(random, [
    () => `{token: ${secret()}}`,
    () => `\n    token: ${secret()}`,
    () => `\n    username: ${odd('me')}\n    password: ${secret()}`,
    () => `\n    client-certificate-data: ${secret()}\n    client-key-data: ${secret()}`,
    () =>
      `\n    exec: {apiVersion: ${odd('client.authentication.k8s.io/v1')}, command: ${odd('plugin')}, args: [${odd('a')}], env: [{name: T, value: ${secret()}}], interactiveMode: ${odd('Never')}}`,
    () => `\n    auth-provider: {name: ${odd('gcp')}, config: {access-token: ${secret()}}}`,
    () => `\n    tokenFile: ${odd('./nowhere')}`,
    () => odd('{}'),
  ]);
  const name = (usual: string): string =>
    random() < 0.92 ? usual : pick(random, [...ODD, '__proto__', 'constructor', '"é\\u2028"']);
  const many = (kind: string, content: () => string): string =>
    Array.from(
      { length: 1 + below(random, 3) },
      (_, n) => `- name: ${name(`${kind[0]}${n}`)}\n  ${kind}: ${content()}\n`,
    ).join('');
  const parts = [
    `apiVersion: ${odd('v1')}\nkind: ${odd('Config')}\n`,
    `current-context: ${name('c0')}\n`,
    `clusters:${random() < 0.1 ? ' &a' : ''}\n${many('cluster', () => `{server: ${odd('https://10.0.0.1:6443')}, insecure-skip-tls-verify: ${odd('true')}${random() < 0.1 ? ', certificate-authority-data: eA==' : ''}}`)}`,
    `users:\n${many('user', user)}`,
    `contexts:\n${many('context', () => `{cluster: ${name('c0')}, user: ${name('u0')}, namespace: ${odd('team-a')}}`)}`,
    ...(random() < 0.1 ? ['preferences: &b {<<: *b}\n'] : []),
    ...(random() < 0.1 ? ['x: &x [*x, *x]\n'] : []),
  ];
  return Buffer.from(random() < 0.9 ? parts.join('') : parts.toSorted(() => random() - 0.5).join(''));
}

const ODD = [
  'null',
  '[]',
  '{}',
  '1',
  'true',
  '""',
  '{a: {b: [c]}}',
  '*a',
  '&a x',
  '2001-01-01',
  '!!binary aGk=',
  '|\n      text\n',
  "'it''s'",
  '\u0000',
  'https://user:pw@h',
  'file:///etc/passwd',
  'http://[::1',
  '-',
];

/** Files that grow when they are read, lead in circles, or are deeper than a stack. */
const BOMBS: readonly (() => string)[] = [
  () =>
    `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from('bcdefghi', (key, n) => `${key}: &${key} [${Array.from({ length: 9 }, () => `*${'abcdefgh'[n]}`).join(',')}]`).join('\n')}\n`,
  () => 'clusters: &a [*a]\ncontexts: *a\n',
  () => `clusters: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`,
  () => `contexts: ${'{a: '.repeat(5000)}1${'}'.repeat(5000)}\n`,
  () => `contexts:\n${'- name: c\n  context: {cluster: c, user: u}\n'.repeat(3000)}`,
  () => `users: "${'x'.repeat(200_000)}"\n`,
  () => Array.from({ length: 2000 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join(''),
];

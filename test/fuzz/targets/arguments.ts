// Command lines of any words: an exit code that is documented, and never a throw or a stack in the face of a person.
import { EventEmitter } from 'node:events';
import type { Engine } from '../../../lib/cli/engine.ts';
import { type Host, mk8s } from '../../../lib/cli/program.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { recordedOutput, testNow } from '../../support/command-line.ts';
import { pick } from '../../support/seeded-random.ts';
import { below } from '../mutate.ts';
import { type FuzzTarget, must } from '../target.ts';

const WORDS = [
  'run',
  'tail',
  'status',
  'clusters',
  'sandbox',
  'metadata',
  'credential',
  'token',
  'kubeconfig',
  '--data',
  '--config',
  '--where',
  '--from',
  '--follow',
  '--limit',
  '-o',
  'json',
  '--subscription',
  '--rewind',
  '--mode',
  'catch-up',
  '--resources',
  '*',
  '--memory',
  '64MiB',
  '--deadline',
  '1h',
  '--source',
  'sandbox',
  '--sink',
  'stdout:',
  '--access',
  '--identity',
  '--service',
  'https://a.example',
  '--service-account',
  '--serviceaccount',
  '--cluster',
  '--duration',
  '--port',
  '--address',
  '0.0.0.0',
  '--help',
  '--version',
  '--',
  '-',
  '',
  '=',
  '-1',
  'NaN',
  'x=y',
  '--no-x',
  '__proto__',
  '--data=',
  '--redact',
  'a:b',
];

export const commandLine: FuzzTarget = {
  name: 'arguments',
  cases: 1500,
  words: WORDS.map((word) => `\n${word}`),
  generate: (random) => Buffer.from(Array.from({ length: 1 + below(random, 6) }, () => pick(random, WORDS)).join('\n')),
  check,
};

/** The input is one word a line. */
async function check(input: Buffer): Promise<string> {
  const stdout = recordedOutput();
  const stderr = recordedOutput();
  const host: Host = {
    env: {},
    cwd: '/nowhere',
    stdout,
    stderr,
    engine: async () => nothing,
    process: Object.assign(new EventEmitter(), { exit: () => {} }),
    now: () => testNow,
  };
  const code = await mk8s(input.toString('utf8').split('\n'), host);
  must([0, 1, 2, 3, 4, 5].includes(code), `it ends with ${code}`);
  must(code === 0 || stderr.text() !== '', `it ends with ${code} and says nothing`);
  must(!/\n {4}at |TypeError|is not a function|undefined/.test(stderr.text()), `it shows its inside: ${stderr.text()}`);
  return `exit code ${code}`;
}

/** The rest of mk8s, which is not there: whatever is asked of it fails as a data folder does. */
const nothing = new Proxy({} as Engine, {
  get: (_, name) =>
    name === 'then'
      ? undefined
      : () => Promise.reject(new Mk8sError('Cannot do it: this is a test. Try another', { code: 'storage' })),
});

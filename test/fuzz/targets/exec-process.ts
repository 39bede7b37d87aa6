// A credential plugin as a process that prints anything, in any chunks, and ends in any way: its whole output where it
// ended well, else an error without a word of that output (promise 9).
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runExecPlugin } from '../../../lib/adapters/kubernetes/exec-process.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { pick } from '../../support/seeded-random.ts';
import { below, type Random } from '../mutate.ts';
import { SECRETS } from '../secrets.ts';
import { type FuzzTarget, must } from '../target.ts';

const LIMIT = 1024 * 1024;

interface Script {
  /** Printed so many times, a piece at a time. */
  readonly print: string;
  readonly times: number;
  readonly pauseSeconds: number;
  readonly complain: string;
  readonly end: 'exit 0' | 'exit 3' | 'kill -9 $$' | 'exec sleep 30' | 'sleep 30 & exit 0';
}

let folder: string | undefined;

export const execProcess: FuzzTarget = {
  name: 'exec-process',
  cases: 60,
  words: [],
  asGenerated: true,
  generate: (random) => Buffer.from(JSON.stringify(randomScript(random))),
  check,
  close() {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  },
};

async function check(input: Buffer): Promise<string> {
  const script = parse(input);
  if (script === undefined) return 'no script';
  folder ??= await mkdtemp(join(tmpdir(), 'mk8s-fuzz-'));
  const piece = Buffer.from(script.print, 'latin1');
  const file = join(folder, 'piece');
  writeFileSync(file, piece);
  const pause = script.pauseSeconds > 0 ? `sleep ${script.pauseSeconds};` : '';
  const shell = `i=0; while [ $i -lt ${script.times} ]; do cat "$0"; ${pause} i=$((i+1)); done; echo "$1" >&2; ${script.end}`;
  const plugin = {
    command: '/bin/sh',
    args: ['-c', shell, file, script.complain],
    env: { PATH: process.env['PATH'] },
    installHint: '',
  };
  // Long against what a shell takes, also on a busy machine; short where it is to be missed.
  const hangs = script.end.includes('sleep');
  try {
    const text = await runExecPlugin({ ...plugin, timeoutMs: hangs ? 400 : 50_000 }, new AbortController().signal);
    const whole = Buffer.concat(Array.from({ length: script.times }, () => piece));
    must(script.end === 'exit 0' || hangs, 'a plugin that failed was believed');
    must(whole.length <= LIMIT, 'too much was taken');
    must(text === whole.toString('utf8'), 'its output is another');
    return 'read';
  } catch (error) {
    if (!(error instanceof Mk8sError)) throw error;
    must(error.code === 'credentials', `it is refused as ${error.code}`);
    must(error.message.length < 4096, 'the message is endless');
    for (const secret of SECRETS) must(!error.message.includes(secret), 'the message tells what was printed');
    must(script.end !== 'exit 0' || piece.length * script.times > LIMIT, `a good plugin was refused: ${error.message}`);
    return 'refused';
  }
}

function parse(input: Buffer): Script | undefined {
  try {
    return JSON.parse(input.toString('utf8')) as Script;
  } catch {
    return undefined;
  }
}

function randomScript(random: Random): Script {
  const length = below(random, random() < 0.8 ? 300 : 40_000);
  const noise = Array.from({ length }, () => String.fromCharCode(below(random, 256))).join('');
  return {
    print: `${noise}${pick(random, SECRETS)}`,
    times: random() < 0.7 ? below(random, 5) : below(random, 60),
    pauseSeconds: random() < 0.2 ? 0.01 : 0,
    complain: random() < 0.5 ? '' : noise.replaceAll('\0', '').slice(0, 5000),
    end: random() < 0.6 ? 'exit 0' : pick(random, ['exit 3', 'kill -9 $$', 'exec sleep 30', 'sleep 30 & exit 0']),
  };
}

// `npm run mutate [-- --seeds N] [--only TEXT] [--jobs K]`: breaks the production code in every listed way, one at a time and
// in a copy, and runs the simulation on it. A break that no seed notices fails the run: then a check is missing.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bridgeMutations } from './bridge-mutations.ts';
import { type Mutation, mutate } from './mutation.ts';
import { watchMutations } from './watch-mutations.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: String(availableParallelism()) },
  },
});
const root = resolve(import.meta.dirname, '../..');
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const chosen = [...watchMutations, ...bridgeMutations].filter(({ name }) => name.includes(values.only));

interface Verdict {
  readonly mutation: Mutation;
  /** What the simulation said first, undefined where it noticed nothing. */
  readonly caught: string | undefined;
}

const todo = [...chosen];
const verdicts: Verdict[] = [];
await Promise.all(Array.from({ length: Number(values.jobs) }, work));
const survived = verdicts.filter(({ caught }) => caught === undefined);
say(`${verdicts.length - survived.length} of ${verdicts.length} breaks were caught within ${values.seeds} seeds each`);
for (const { mutation } of survived) say(`not caught: ${mutation.name} (${mutation.file})`);
process.exitCode = survived.length === 0 ? 0 : 1;

/** Takes one mutation after the other, in a copy of its own. */
async function work(): Promise<void> {
  const copy = mkdtempSync(join(tmpdir(), 'mk8s-mutations-'));
  try {
    for (const part of ['lib', 'test', 'package.json']) cpSync(join(root, part), join(copy, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    for (let mutation = todo.shift(); mutation !== undefined; mutation = todo.shift()) {
      verdicts.push(await judge(mutation, copy));
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function judge(mutation: Mutation, copy: string): Promise<Verdict> {
  const startedAt = Date.now();
  const file = join(copy, mutation.file);
  const original = readFileSync(file, 'utf8');
  writeFileSync(file, mutate(original, mutation));
  try {
    const { code, output } = await simulate(copy, mutation);
    // Without an exit code it did not end in time, and that may be the machine's doing.
    const caught = code === 0 || code === null ? undefined : firstFinding(output);
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
    const breaks = typeof mutation.breaks === 'number' ? `promise ${mutation.breaks}` : 'liveness';
    say(
      `${caught !== undefined ? 'caught' : code === null ? 'DID NOT END' : 'SURVIVED'} (${seconds} s) ${mutation.name} [${breaks}]: ${caught ?? ''}`,
    );
    return { mutation, caught };
  } finally {
    writeFileSync(file, original);
  }
}

/** The simulation in a process of its own: a break may make it hang. */
function simulate(folder: string, { faults = [] }: Mutation): Promise<{ code: number | null; output: string }> {
  const flags = ['--seeds', values.seeds, '--jobs', '1', '--first', '--no-shrink', '--with', faults.join(',')];
  const child = spawn(process.execPath, ['test/simulation/main.ts', ...flags], { cwd: folder, timeout: 600_000 });
  let output = '';
  const take = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-20_000);
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  return new Promise((done) => child.on('close', (code) => done({ code, output })));
}

function firstFinding(output: string): string {
  return (
    output
      .split('\n')
      .find((line) => /promise \d|liveness/.test(line))
      ?.trim() ??
    output.split('\n').at(-2) ??
    ''
  );
}

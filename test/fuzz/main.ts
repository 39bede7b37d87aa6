// `npm run fuzz -- [--target NAME]… [--minutes M | --hours H] [--seed N]`: by default a short run over all targets.
// With a time, each target gets an equal share of it. A failure is kept as a file of the corpus, to be committed.
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { keepInput } from './corpus.ts';
import { targetNamed, targetNames } from './targets.ts';
import { watchedRun } from './watched-run.ts';

const { values } = parseArgs({
  options: {
    target: { type: 'string', multiple: true },
    minutes: { type: 'string' },
    hours: { type: 'string' },
    seed: { type: 'string' },
  },
});

const names = values.target ?? targetNames;
const minutes = Number(values.hours ?? 0) * 60 + Number(values.minutes ?? 0);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!Number.isFinite(minutes) || !Number.isInteger(seed)) throw new Error('--minutes, --hours and --seed are numbers');
const forMs = minutes > 0 ? (minutes * 60_000) / names.length : undefined;

console.log(`seed ${seed}`);
let failed = false;
for (const name of names) {
  const { cases } = await targetNamed(name);
  const startedAt = Date.now();
  const options = { target: name, seed, cases: forMs === undefined ? cases : Number.MAX_SAFE_INTEGER };
  const result = await watchedRun({ ...options, ...(forMs === undefined ? {} : { forMs }) });
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  const outcomes = Object.entries(result.outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  console.log(`${name}: ${result.cases} cases in ${seconds} s, ${result.corpus} of the corpus; ${outcomes.join(', ')}`);
  if (result.failure === undefined) continue;
  failed = true;
  const { where, input, error } = result.failure;
  const file = where.startsWith('corpus') ? where : relative(process.cwd(), keepInput(name, input));
  console.log(`FAILED ${name}, seed ${seed}, ${where}: ${error}`);
  console.log(`Its input, as small as it could be made: ${file} (${input.length} bytes)`);
  console.log(JSON.stringify(Buffer.from(input.subarray(0, 1000)).toString('latin1')));
  console.log(`Again: npm run fuzz -- --target ${name} (the corpus comes first); commit that file with the repair.`);
}
process.exitCode = failed ? 1 : 0;

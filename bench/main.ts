// `npm run bench [-- --only decode,pipeline] [--runs N] [--json FILE]`: measures what docs/performance.md tells. Each figure
// stands beside a peer's from the same run, in turn, and ends in `meets` or `misses` where a bar is set. Prints each row when
// it is there, the whole table at the end, and writes both machine and rows as JSON where asked. Ends with 1 where a
// benchmark failed to measure; a bar that is missed is a result, not a failure.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { benchDecode } from './decode.ts';
import { benchIdle } from './idle.ts';
import { benchLatency } from './latency.ts';
import { benchLog } from './log.ts';
import { describeMachine, formatMachine, formatNoise, startNoise } from './machine.ts';
import { benchPipeline } from './pipeline.ts';
import { benchPubsub } from './pubsub.ts';
import { benchReconcile } from './reconcile.ts';
import { type BenchOptions, type BenchRow, formatRow, formatTable } from './report.ts';
import { benchResume } from './resume.ts';
import { benchStart } from './start.ts';
import { benchSync } from './sync.ts';
import { benchTail } from './tail.ts';
import { benchTransport } from './transport.ts';

/** In the order in which they run. */
const BENCHES: Readonly<Record<string, (options: BenchOptions) => Promise<BenchRow[]>>> = {
  decode: benchDecode,
  pipeline: benchPipeline,
  sync: benchSync,
  resume: benchResume,
  reconcile: benchReconcile,
  latency: benchLatency,
  idle: benchIdle,
  tail: benchTail,
  start: benchStart,
  log: benchLog,
  transport: benchTransport,
  pubsub: benchPubsub,
};

/** Without a bar: they explain a choice, and run only where they are named. */
const ONLY_BY_NAME = ['log', 'transport', 'pubsub'];

const { values } = parseArgs({
  options: { only: { type: 'string' }, runs: { type: 'string' }, json: { type: 'string' } },
});
const names = values.only?.split(',') ?? Object.keys(BENCHES).filter((name) => !ONLY_BY_NAME.includes(name));
const unknown = names.filter((name) => BENCHES[name] === undefined);
const runs = values.runs === undefined ? undefined : Number(values.runs);
if (unknown.length > 0 || (runs !== undefined && !(Number.isInteger(runs) && runs > 0))) {
  process.stderr.write(`--only takes some of ${Object.keys(BENCHES).join(', ')}; --runs a number above 0.\n`);
  process.exit(2);
}
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const log = (line: string): void => void process.stderr.write(`${line}\n`);

const machine = describeMachine();
const noise = startNoise();
say(formatMachine(machine));
const rows: BenchRow[] = [];
for (const name of names) {
  noise.sample();
  try {
    const found = (await BENCHES[name]?.({ log, ...(runs === undefined ? {} : { runs }) })) ?? [];
    rows.push(...found);
    for (const row of found) say(formatRow(row));
  } catch (error) {
    log(`${name} could not be measured: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exitCode = 1;
  }
}
noise.sample();
say(`\n${formatTable(rows)}\n\n${formatMachine(machine)}\n${formatNoise(noise.read())}`);
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ machine, noise: noise.read(), rows }, undefined, 2)}\n`);
}

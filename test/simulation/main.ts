// `npm run sim -- [--seeds N] [--from N] [--seed N [--trace] [--keep WHY]] [--with FAULT,…] [--jobs N] [--first] [--no-shrink]`: runs
// worlds by seed, all of them production code over simulated time, network, clusters, store and sinks. Ends with 1 where a promise broke.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type BatchResult, type Forced, joinResults, profileOf, type Range, runBatch } from './batch.ts';
import { keepInCorpus } from './corpus.ts';
import { runJobs } from './jobs.ts';
import { faultsNeverSeen, tellFaults, tellFinding, tellShrunk } from './report.ts';
import { shrink } from './shrink.ts';
import { runWorld } from './world.ts';

/** Of that many findings the trace is minimised. */
const MOST_SHRUNK = 3;
/** Where nobody watches the count go up. */
const TOLD_EVERY = 2_000;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(availableParallelism()) },
    first: { type: 'boolean', default: false },
    shrink: { type: 'boolean', default: true },
    keep: { type: 'string' },
    with: { type: 'string', default: '' },
    store: { type: 'string' },
  },
  allowNegative: true,
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const forced: Forced = { always: values.with === '' ? [] : values.with.split(','), store: storeOf(values.store) };

process.exitCode = values.seed === undefined ? await runMany() : await runOne(Number(values.seed));

function storeOf(named: string | undefined): Forced['store'] {
  if (named === undefined || named === 'disk' || named === 'firestore') return named;
  throw new RangeError(`There is no store "${named}", only disk and firestore`);
}

async function runOne(seed: number): Promise<number> {
  const { failure, trace } = await runWorld(profileOf(seed, forced), { traced: true });
  if (values.trace) for (const line of trace.lines) say(line);
  say(`seed ${seed}: trace ${trace.hash()}, ${trace.lines.length} lines`);
  if (failure === undefined) return 0;
  say(tellFinding({ seed, ...failure }));
  if (values.keep !== undefined) {
    const profile = await shrink(profileOf(seed, forced), failure);
    say(tellShrunk(profile, await runWorld(profile, { traced: true })));
    keepInCorpus({ why: values.keep, profile });
  }
  return 1;
}

async function runMany(): Promise<number> {
  const startedAt = Date.now();
  const [from, seeds, jobs] = [Number(values.from), Number(values.seeds), Number(values.jobs)];
  let done = 0;
  const onResult = ({ seeds: some, findings }: BatchResult): void => {
    done += some;
    for (const finding of findings) say(tellFinding(finding));
    if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${seeds} seeds`);
    else if (Math.floor(done / TOLD_EVERY) > Math.floor((done - some) / TOLD_EVERY)) {
      process.stderr.write(`${done} of ${seeds} seeds\n`);
    }
  };
  const results =
    jobs > 1
      ? await runJobs({ from, seeds, jobs, first: values.first, ...forced, onResult })
      : [await alone({ from, seeds, first: values.first, ...forced }, onResult)];
  const all = joinResults(results);
  for (const finding of values.shrink ? all.findings.slice(0, MOST_SHRUNK) : []) {
    const smallest = await shrink(profileOf(finding.seed, forced), finding);
    say(`seed ${finding.seed}`);
    say(tellShrunk(smallest, await runWorld(smallest, { traced: true })));
  }
  say(tellFaults(all));
  const unseen = faultsNeverSeen(all);
  if (unseen.length > 0) say(`never struck: ${unseen.join(', ')}`);
  const { revisions = 0, 'simulated seconds': simulated = 0, 'restore that cannot be seen': blind = 0 } = all.counters;
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
  say(
    `${all.seeds} seeds, ${all.findings.length} failed, ${revisions} revisions, ${(simulated / 3600).toFixed(0)} simulated hours, ${blind} restores of a stream that cannot be seen, ${seconds} s on ${jobs} processes`,
  );
  return all.findings.length === 0 ? 0 : 1;
}

async function alone(range: Range, onResult: (result: BatchResult) => void): Promise<BatchResult> {
  const result = await runBatch(range);
  onResult(result);
  return result;
}

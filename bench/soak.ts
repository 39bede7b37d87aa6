// `npm run soak -- [--hours 2] [--rate 150] [--servers sandbox|real] [--clusters 3] [--objects 1000] [--retention 10m]
// [--out DIR]`: hours of load on one bridge and one tail, with faults now and then: is memory flat, is nothing lost?
// Ctrl-C ends it early, in order. Real servers need KUBEBUILDER_ASSETS and cost more than all the rest.
// `npm run soak -- --report DIR [--graph FILE]` prints the summary of a run and draws its graph again, also while it runs.
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { planOf } from './soak-faults.ts';
import { drawSoak } from './soak-graph.ts';
import { commitOf, type Load, startLoad } from './soak-load.ts';
import { readRun, readSamples, type SoakRun, summarize } from './soak-report.ts';
import { folderSize, lagOf, type Sample, sampleProcess } from './soak-samples.ts';
import { differences } from './soak-state.ts';

const { values } = parseArgs({
  options: {
    hours: { type: 'string', default: '2' },
    rate: { type: 'string', default: '150' },
    servers: { type: 'string', default: 'sandbox' },
    clusters: { type: 'string', default: '3' },
    objects: { type: 'string', default: '1000' },
    retention: { type: 'string', default: '10m' },
    out: { type: 'string' },
    report: { type: 'string' },
    graph: { type: 'string' },
  },
});

const SAMPLE_MS = 10_000;
/** How long feeds may take to become quiet after the load has ended. */
const SETTLE_MS = 120_000;

if (values.report === undefined) process.exitCode = await soak(resolve(values.out ?? `soak-${Date.now()}`));
else report(values.report);

/** Returns the exit code: 0 where all was as promised. */
async function soak(folder: string): Promise<number> {
  mkdirSync(folder, { recursive: true });
  const [clusters, objects, rate] = [Number(values.clusters), Number(values.objects), Number(values.rate)];
  const servers = values.servers === 'real' ? 'real' : 'sandbox';
  const load = await startLoad({ folder, servers, clusters, objects, rate, retention: values.retention });
  const began = performance.now();
  const seconds = (): number => Math.round((performance.now() - began) / 1000);
  const faults: { seconds: number; what: string }[] = [];
  let run: SoakRun = {
    startedAt: new Date().toISOString(),
    commit: commitOf(),
    node: process.version,
    machine: `${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'})`,
    servers,
    rate,
    clusters,
    objects,
    faults,
  };
  const keep = (): void => writeFileSync(join(folder, 'run.json'), JSON.stringify(run, undefined, 2));
  keep();
  process.stderr.write(
    `Soaking for ${values.hours} h into ${folder}: bridge ${load.bridge.pid}, tail ${load.tail.pid}, servers ${load.servers.pid}; SIGINT to ${process.pid} ends it early\n`,
  );
  const over = new AbortController();
  const end = (why: string): void => over.abort(why);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => end(signal));
  void load.broken.then(end);
  const timer = setTimeout(() => end('the time was over'), Number(values.hours) * 3_600_000);
  await load.ask('begin');
  const noted = (what: string): void => {
    faults.push({ seconds: seconds(), what });
    keep();
  };
  await Promise.all([sampling(load, folder, seconds, over.signal), faulting(load, noted, over.signal)]);
  clearTimeout(timer);

  const problems = await compare(load).catch((error: unknown) => [`cannot compare: ${String(error)}`]);
  if (await isBroken(load)) problems.push(await load.broken);
  run = { ...run, end: { why: String(over.signal.reason), objects: load.tailed.state().size, problems } };
  keep();
  await load.stop();
  report(folder);
  return problems.length === 0 ? 0 : 1;
}

async function sampling(load: Load, folder: string, seconds: () => number, signal: AbortSignal): Promise<void> {
  for (; !signal.aborted; await delay(SAMPLE_MS, undefined, { signal }).catch(() => undefined)) {
    try {
      appendFileSync(join(folder, 'samples.ndjson'), `${JSON.stringify(await sample(load, seconds()))}\n`);
    } catch (error) {
      process.stderr.write(`no sample: ${String(error)}\n`);
    }
  }
}

async function sample(load: Load, seconds: number): Promise<Sample> {
  const { bridge, tail, servers, tailed, received } = load;
  const { written } = await load.ask('written');
  const lags = [tailed.takeLags(), received.takeLags()] as const;
  const came = lags.every(({ length }) => length > 0);
  return {
    seconds,
    at: new Date().toISOString(),
    bridge: bridge.sample(),
    tail: tail.sample(),
    servers: servers.sample(),
    soak: sampleProcess(process.pid),
    data: folderSize(load.data),
    written,
    tailed: tailed.counts.events,
    received: received.counts.events,
    redelivered: received.counts.redelivered + tailed.counts.redelivered,
    relisted: tailed.counts.relisted,
    ...(came ? { lag: { tail: lagOf(lags[0]), webhook: lagOf(lags[1]) } } : {}),
    load: loadavg()[0] ?? 0,
  };
}

async function faulting(load: Load, noted: (what: string) => void, signal: AbortSignal): Promise<void> {
  for (const { afterMs, what, act } of planOf(load)) {
    await delay(afterMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    noted(what);
    await act().catch((error: unknown) => noted(`${what} failed: ${String(error)}`));
  }
  load.receiver.state = 'up';
}

/** Ends the load, waits for both feeds, and holds them against the servers. */
async function compare(load: Load): Promise<string[]> {
  await load.ask('end');
  const { state = [] } = await load.ask('state');
  const servers = new Map(state);
  const until = performance.now() + SETTLE_MS;
  for (;;) {
    await delay(1000);
    const found = [load.tailed, load.received].flatMap((feed, index) =>
      differences(index === 0 ? 'tail' : 'webhook', feed.state(), servers),
    );
    if (found.length === 0 || performance.now() > until)
      return [...found, ...load.tailed.faults, ...load.received.faults];
  }
}

async function isBroken(load: Load): Promise<boolean> {
  return Promise.race([load.broken.then(() => true), delay(0).then(() => false)]);
}

function report(folder: string): void {
  const run = readRun(folder);
  const samples = readSamples(folder);
  const text = `${summarize(run, samples).join('\n')}\n`;
  writeFileSync(join(folder, 'summary.txt'), text);
  const graph = values.graph ?? join(folder, 'soak.svg');
  mkdirSync(dirname(graph), { recursive: true });
  writeFileSync(graph, drawSoak(run, samples));
  process.stdout.write(text);
}

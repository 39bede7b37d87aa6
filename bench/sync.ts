// First sync of a large collection: peak memory and time, ours (an installed mk8s with everything durable on disk) against
// client-node's informer (in memory only), from the same server, in turn, each in a process of its own. Ours syncs a small
// collection in turn as well: what is kept per object would show as the difference.
//
// The informer cannot list 200,000 objects of this size, as the list would be one string; so it gets 100,000, and one try
// with all of them, which tells how it fails.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installPackage } from './installed-package.ts';
import { catchUp, type ServedCollection, serveCollection } from './mk8s-command.ts';
import { atMost, type BenchOptions, type BenchRow, benchRow, formatRow, ratioAtMost } from './report.ts';

const run = promisify(execFile);

interface Result {
  readonly milliseconds: number;
  readonly peakBytes: number;
}

interface SyncOptions extends BenchOptions {
  /** Objects of the large collection (default 200,000), of the small one (20,000), and of the informer's (100,000). */
  readonly large?: number;
  readonly small?: number;
  readonly informer?: number;
}

export async function benchSync(options: SyncOptions = {}): Promise<BenchRow[]> {
  const { large = 200_000, small = 20_000, informer = 100_000, runs = 5, log = () => {} } = options;
  const folder = mkdtempSync(join(tmpdir(), 'mk8s-bench-'));
  const servers: ServedCollection[] = [];
  const serve = async (objects: number): Promise<ServedCollection> => {
    const server = await serveCollection(objects);
    servers.push(server);
    return server;
  };
  try {
    const root = installPackage(join(folder, 'package'));
    const [much, little, some] = [await serve(large), await serve(small), await serve(informer)];
    const results = { large: [] as Result[], small: [] as Result[], informer: [] as Result[] };
    for (let round = 0; round < runs; round++) {
      results.large.push(await ours(root, much.url, large));
      results.small.push(await ours(root, little.url, small));
      results.informer.push(await theirs(some.url, informer));
      log(
        Object.entries(results)
          .map(([side, of]) => `${side} ${told(of.at(-1))}`)
          .join(', '),
      );
    }
    log(`the informer and ${count(large)} objects: ${await theirs(much.url, large).then(told, reasonOf)}`);
    return rowsOf(results, { large, small, informer });
  } finally {
    for (const server of servers) server.stop();
    rmSync(folder, { recursive: true });
  }
}

function rowsOf(
  results: Readonly<Record<'large' | 'small' | 'informer', readonly Result[]>>,
  sizes: { readonly large: number; readonly small: number; readonly informer: number },
): BenchRow[] {
  const peaks = (of: readonly Result[]): number[] => of.map(({ peakBytes }) => peakBytes / 1e6);
  const times = (of: readonly Result[]): number[] => of.map(({ milliseconds }) => milliseconds);
  const what = `first sync of ${count(sizes.large)} objects of 3.4 KB`;
  const peer = (name: string, runs: readonly number[]): { peer: { name: string; runs: readonly number[] } } => ({
    peer: { name, runs },
  });
  const informer = `client-node's informer, ${count(sizes.informer)} objects`;
  return [
    benchRow({
      what: `${what}: peak memory`,
      unit: 'MB',
      ours: peaks(results.large),
      ...peer(`with ${count(sizes.small)} objects`, peaks(results.small)),
      bars: [atMost(200), ratioAtMost(1.1)],
    }),
    benchRow({
      what: `${what}: peak memory`,
      unit: 'MB',
      ours: peaks(results.large),
      ...peer(informer, peaks(results.informer)),
    }),
    benchRow({
      what: `first sync of 3.4 KB objects: time of 100,000`,
      unit: 'ms',
      ours: times(results.large).map((time) => (time * 100_000) / sizes.large),
      ...peer(
        `${informer} (in memory only)`,
        times(results.informer).map((time) => (time * 100_000) / sizes.informer),
      ),
    }),
  ];
}

async function ours(root: string, server: string, objects: number): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'mk8s-bench-'));
  try {
    const { recorded, ...result } = await catchUp({ root, server, folder });
    if (recorded.added === objects) return result;
    throw new Error(`${objects} objects were served, ${recorded.added} were recorded`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function theirs(server: string, objects: number): Promise<Result> {
  const file = join(import.meta.dirname, 'sync-informer.ts');
  const { stdout } = await run(process.execPath, ['--no-warnings', file, server]);
  const { objects: seen, ...result } = JSON.parse(stdout) as Result & { objects: number };
  if (seen !== objects) throw new Error(`${objects} objects were served, the informer has ${seen}`);
  return result;
}

/** Of a process that failed, the line with its error. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return `fails: ${text.split('\n').find((line) => /Error\b.*:/.test(line)) ?? text}`;
}

function told(result: Result | undefined): string {
  if (result === undefined) return '–';
  return `${Math.round(result.peakBytes / 1e6)} MB, ${Math.round(result.milliseconds)} ms`;
}

function count(objects: number): string {
  return objects.toLocaleString('en-US');
}

if (import.meta.main) {
  const [large, small, informer, runs] = process.argv.slice(2).map(Number);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const sizes = {
    ...(large && { large }),
    ...(small && { small }),
    ...(informer && { informer }),
    ...(runs && { runs }),
  };
  for (const row of await benchSync({ ...sizes, log: say })) say(formatRow(row));
}

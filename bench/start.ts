// From starting the command to its end: `mk8s --help`, and `mk8s status` of a folder with 200 streams, as processes: from the
// clone (TypeScript, types stripped at start), as an installed package has it (compiled), and as the `node` of PATH runs it,
// where that is an older one that hands over to the bundled Node 24. The floor beside each is a Node that does nothing.
// Each counts with the compile cache that earlier starts have filled, as on the second day.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { openDataFolder } from '../lib/adapters/disk/data-folder.ts';
import { systemClock } from '../lib/async/system-clock.ts';
import { clusterId } from '../lib/model/stream.ts';
import type { StreamStatus } from '../lib/model/stream-status.ts';
import { installPackage } from './installed-package.ts';
import { atMost, type BenchOptions, type BenchRow, benchRow, formatRow } from './report.ts';

const run = promisify(execFile);
/** Without the folders that npm puts in front, where the bundled Node is: what a shell has. */
const PATH = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !folder.endsWith('node_modules/.bin'))
  .join(delimiter);
const root = resolve(import.meta.dirname, '..');
/** Of each, at least: a start is short. */
const STARTS = 11;

interface Way {
  readonly name: string;
  readonly node: string;
  /** The folder with bin/. */
  readonly root: string;
}

export async function benchStart({ runs = STARTS, log = () => {} }: BenchOptions = {}): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mk8s-bench-'));
  try {
    const data = join(folder, 'data');
    await writeStatus(data, 200);
    const old = oldNode();
    const ways: Way[] = [
      { name: 'clone', node: process.execPath, root },
      { name: 'installed package', node: process.execPath, root: installPackage(join(folder, 'package')) },
      ...(old === undefined ? [] : [{ name: `clone, PATH's Node ${old} first`, node: 'node', root }]),
    ];
    const rows: BenchRow[] = [];
    for (const { name, node, root: at } of ways) {
      const starts = { help: [] as number[], status: [] as number[], nothing: [] as number[] };
      const bin = join(at, 'bin/mk8s.js');
      // The first round fills the compile cache.
      for (let round = 0; round <= Math.max(STARTS, runs); round++) {
        const help = await timed(node, [bin, '--help'], folder);
        const status = await timed(node, [bin, 'status', '--data', data], folder);
        const nothing = await timed(process.execPath, ['-e', '0'], folder);
        if (round === 0) continue;
        starts.help.push(help);
        starts.status.push(status);
        starts.nothing.push(nothing);
      }
      const peer = { name: 'node -e 0', runs: starts.nothing };
      const row = (what: string, ours: readonly number[], most: number): BenchRow =>
        benchRow({ what: `start of ${what} (${name})`, unit: 'ms', ours, peer, bars: [atMost(most)] });
      rows.push(row('mk8s --help', starts.help, 150), row('mk8s status', starts.status, 300));
      log(`start (${name}): ${starts.help.length} starts of each`);
    }
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function timed(node: string, args: readonly string[], cwd: string): Promise<number> {
  const before = performance.now();
  const { stdout } = await run(node, args, { cwd, env: { PATH, HOME: cwd } });
  const milliseconds = performance.now() - before;
  if (args[0] !== '-e' && stdout === '') throw new Error(`${args.join(' ')} said nothing.`);
  return milliseconds;
}

/** The version of PATH's `node` where it is too old for mk8s. */
function oldNode(): string | undefined {
  const version = execFileSync('node', ['--version'], { encoding: 'utf8', env: { PATH } }).trim();
  return Number(version.slice(1).split('.')[0]) < 24 ? version : undefined;
}

async function writeStatus(path: string, streams: number): Promise<void> {
  const folder = openDataFolder({ path, clock: systemClock, host: 'bench' });
  const now = systemClock.now();
  const rows = Array.from({ length: streams }, (_, n): StreamStatus => {
    const cluster = clusterId(`00000000-0000-4000-8000-${String(n % 10).padStart(12, '0')}`);
    return {
      stream: { cluster, group: `group-${n}.example.com`, plural: 'things', selector: {} },
      clusterName: `gke_project_europe-west1_cluster-${n % 10}`,
      state: 'watching',
      epoch: 1,
      resourceVersion: String(1_000_000 + n),
      recorded: n,
      published: n,
      objects: n,
      currentAt: now,
      lastBookmarkAt: now,
      gaps: 0,
      lastGapAt: 0,
      updatedAt: now,
    };
  });
  const running = { run: 'bench, pid 1', startedAt: now, updatedAt: now, running: true, problems: [] };
  await folder.status.write(running, rows);
  await folder.close();
}

if (import.meta.main) {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  for (const row of await benchStart({ log: say })) say(formatRow(row));
}

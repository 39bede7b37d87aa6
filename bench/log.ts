// Changes recorded and read per second: the data folder against one row per change, in turn, on the same changes, with
// the same durability (a commit with fsync for every 300 changes). Each round on new files.
//
// Both are told of CPU time too: on a shared machine wall time says more about the neighbours.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataFolder } from '../lib/adapters/disk/data-folder.ts';
import { systemClock } from '../lib/async/system-clock.ts';
import type { Observed } from '../lib/model/revision.ts';
import { clusterId } from '../lib/model/stream.ts';
import { seededRandom } from '../test/support/seeded-random.ts';
import { openBaselineLog } from './log-baseline.ts';
import { benchChange } from './log-changes.ts';
import { type BenchOptions, type BenchRow, benchRow, formatRow } from './report.ts';

export interface LogBenchOptions extends BenchOptions {
  /** Objects; as many changes again hit them in random order. Default 100,000. */
  readonly objects?: number;
}

const batchSize = 300;
const stream = { cluster: clusterId('bench'), group: 'gateway.networking.k8s.io', plural: 'httproutes', selector: {} };

/** What both sides can do. */
interface Side {
  append(changes: readonly Observed[]): Promise<void>;
  readAll(): Promise<number>;
  close(): Promise<void>;
}

/** Changes per second (wall and CPU time) of each phase, and changes per MB of disk. */
type Figures = Record<'sync' | 'syncCpu' | 'random' | 'randomCpu' | 'read' | 'perMegabyte', number>;

export async function benchLog(options: LogBenchOptions = {}): Promise<BenchRow[]> {
  const { objects = 100_000, runs = 5, log = () => {} } = options;
  const sides = { ours: openOurs, peer: openPeer };
  const figures: Record<keyof typeof sides, Figures[]> = { ours: [], peer: [] };
  for (let run = 0; run < runs; run++) {
    for (const side of ['ours', 'peer'] as const) {
      const folder = mkdtempSync(join(tmpdir(), 'mk8s-bench-'));
      try {
        figures[side].push(await measure(sides[side](folder), objects, folder));
      } finally {
        rmSync(folder, { recursive: true });
      }
      log(`log, run ${run + 1} of ${runs}, ${side}: ${JSON.stringify(figures[side].at(-1))}`);
    }
  }
  const row = (what: string, unit: string, figure: keyof Figures) =>
    benchRow({
      what: `log: ${what}`,
      unit,
      ours: figures.ours.map((one) => one[figure]),
      peer: { name: 'one row per change', runs: figures.peer.map((one) => one[figure]) },
    });
  return [
    row('record a first sync', 'changes/s', 'sync'),
    row('record a first sync', 'changes/s of CPU', 'syncCpu'),
    row('record random updates', 'changes/s', 'random'),
    row('record random updates', 'changes/s of CPU', 'randomCpu'),
    row('read', 'changes/s', 'read'),
    row('space', 'changes/MB', 'perMegabyte'),
  ];
}

async function measure(side: Side, objects: number, folder: string): Promise<Figures> {
  const random = seededRandom(1);
  const sync = await record(side, objects, (i) => benchChange(i, i + 1));
  const updates = await record(side, objects, (i) => benchChange(Math.floor(random() * objects), objects + i + 1));
  const started = performance.now();
  const read = await side.readAll();
  const seconds = (performance.now() - started) / 1000;
  if (read !== 2 * objects) throw new Error(`read ${read} changes of ${2 * objects}`);
  await side.close();
  const files = ['mk8s.db', 'baseline.db'].map(
    (name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0,
  );
  const megabytes = files.reduce((sum, size) => sum + size, 0) / 1e6;
  return {
    sync: sync.wall,
    syncCpu: sync.cpu,
    random: updates.wall,
    randomCpu: updates.cpu,
    read: read / seconds,
    perMegabyte: (2 * objects) / megabytes,
  };
}

/** Time counts while recording, not while changes are made up. */
async function record(
  side: Side,
  count: number,
  make: (i: number) => Observed,
): Promise<{ wall: number; cpu: number }> {
  let wall = 0;
  let cpu = 0;
  for (let from = 0; from < count; from += batchSize) {
    const changes = Array.from({ length: Math.min(batchSize, count - from) }, (_, i) => make(from + i));
    const cpuBefore = process.cpuUsage();
    const before = performance.now();
    await side.append(changes);
    wall += performance.now() - before;
    const { user, system } = process.cpuUsage(cpuBefore);
    cpu += user + system;
  }
  return { wall: count / (wall / 1000), cpu: count / (cpu / 1e6) };
}

function openOurs(folder: string): Side {
  const data = openDataFolder({ path: folder, clock: systemClock, host: 'bench' });
  return {
    async append(changes) {
      await data.log.append(stream, { fence: 1, epoch: 1, changes });
    },
    async readAll() {
      let changes = 0;
      for (let position = 0; ; ) {
        const page = await data.feed.read(position, { bytes: 4 * 1024 * 1024 });
        changes += page.revisions.length;
        position = page.position;
        if (page.atEnd) return changes;
      }
    },
    close: () => data.close(),
  };
}

function openPeer(folder: string): Side {
  const baseline = openBaselineLog(folder);
  return {
    append: async (changes) => baseline.append(changes),
    readAll: async () => baseline.readAll().changes,
    close: async () => baseline.close(),
  };
}

if (import.meta.main) {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  for (const row of await benchLog({ objects: Number(process.argv[2] ?? 100_000), log: say })) say(formatRow(row));
}

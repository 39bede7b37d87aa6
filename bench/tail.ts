// Changes per second of reading the whole feed: `mk8s tail -o json` as a process that writes to a pipe, and the library's
// pages alone, of a folder with 1,000,000 changes of 20,000 objects. Beside it what one would write at first: a process
// that reads one SQLite row per change and writes the same lines. The folders are made once, and used by all runs.
//
// Unfair to ours: its peer has nothing to unpack, and ten times the bytes on disk, which the page cache holds here.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataFolder } from '../lib/adapters/disk/data-folder.ts';
import { systemClock } from '../lib/async/system-clock.ts';
import { decodeWatch } from '../lib/decode/watch-stream.ts';
import type { Observed } from '../lib/model/revision.ts';
import { clusterId } from '../lib/model/stream.ts';
import { installPackage } from './installed-package.ts';
import { openBaselineLog } from './log-baseline.ts';
import { COLLECTION, liveEvents } from './pipeline-events.ts';
import { atLeast, type BenchOptions, type BenchRow, benchRow, formatRow } from './report.ts';

export interface TailBenchOptions extends BenchOptions {
  /** Default 1,000,000. */
  readonly changes?: number;
  /** Where to keep the folders for another time; default: removed at the end. */
  readonly keep?: string;
}

/** Of the peer's: its rate does not depend on it. */
const PEER_CHANGES = 200_000;
const STREAM = { cluster: clusterId('bench'), group: COLLECTION.group, plural: COLLECTION.plural, selector: {} };
const TYPES = { ADDED: 'add', MODIFIED: 'update', DELETED: 'delete' } as const;

export async function benchTail(options: TailBenchOptions = {}): Promise<BenchRow[]> {
  const { changes = 1_000_000, runs = 5, keep, log = () => {} } = options;
  const folder = keep ?? mkdtempSync(join(tmpdir(), 'mk8s-bench-'));
  const made = mkdtempSync(join(tmpdir(), 'mk8s-bench-'));
  try {
    const mk8s = join(installPackage(join(made, 'package')), 'bin/mk8s.js');
    const data = join(folder, `data-${changes}`);
    const rows = join(folder, `rows-${PEER_CHANGES}`);
    if (!existsSync(data)) await build(data, changes, log);
    if (!existsSync(rows)) await buildPeer(rows, log);
    const ours = [mk8s, 'tail', '--data', data, '--from', 'beginning', '-o', 'json'];
    const peer = [join(import.meta.dirname, 'tail-rows.ts'), rows];
    const rates = { process: [] as number[], pages: [] as number[], peer: [] as number[] };
    for (let run = 1; run <= runs; run++) {
      rates.process.push(await piped(ours, changes));
      rates.peer.push(await piped(peer, PEER_CHANGES));
      rates.pages.push(await readPages(data, changes));
      const told = Object.entries(rates).map(([name, all]) => `${name} ${Math.round(all.at(-1) ?? 0)}/s`);
      log(`tail, run ${run} of ${runs}: ${told.join(', ')}`);
    }
    const against = { name: 'one row per change', runs: rates.peer };
    const what = `tail of ${changes.toLocaleString('en-US')} recorded changes`;
    const unit = 'changes/s';
    return [
      benchRow({ what: `${what}: the process`, unit, ours: rates.process, peer: against, bars: [atLeast(100_000)] }),
      benchRow({ what: `${what}: pages of the library`, unit, ours: rates.pages, bars: [atLeast(100_000)] }),
    ];
  } finally {
    rmSync(made, { recursive: true });
    if (keep === undefined) rmSync(folder, { recursive: true });
  }
}

/** From the start of the process to the last line at the other end of its pipe. */
async function piped(args: readonly string[], lines: number): Promise<number> {
  const before = performance.now();
  const writer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const reader = spawn('wc', ['-l'], { stdio: [writer.stdout, 'pipe', 'inherit'] });
  let counted = '';
  reader.stdout.setEncoding('utf8').on('data', (text: string) => {
    counted += text;
  });
  // The pipe is the reader's now: as long as this process had it too, it would read along.
  writer.stdout.destroy();
  await Promise.all([once(writer, 'exit'), once(reader, 'close')]);
  const seconds = (performance.now() - before) / 1000;
  if (Number(counted) !== lines) throw new Error(`${args.join(' ')}: ${lines} lines were due, ${counted.trim()} came.`);
  return lines / seconds;
}

async function readPages(path: string, changes: number): Promise<number> {
  const folder = openDataFolder({ path, readOnly: true, clock: systemClock, host: 'bench' });
  try {
    const before = performance.now();
    let seen = 0;
    for (let position = 0; ; ) {
      const page = await folder.feed.read(position, { bytes: 1024 * 1024 });
      seen += page.revisions.length;
      position = page.position;
      if (page.atEnd) break;
    }
    if (seen !== changes) throw new Error(`${changes} changes were recorded, ${seen} were read.`);
    return changes / ((performance.now() - before) / 1000);
  } finally {
    await folder.close();
  }
}

/** Records as a bridge under load does: what arrives together, up to 300 at a time. */
async function build(path: string, count: number, log: (line: string) => void): Promise<void> {
  const folder = openDataFolder({ path, clock: systemClock, host: 'bench' });
  try {
    let made = 0;
    for await (const changes of observed(count)) {
      await folder.log.append(STREAM, { fence: 1, epoch: 1, changes });
      made += changes.length;
      if (made % 200_000 < changes.length) log(`tail: ${made} of ${count} changes recorded`);
    }
  } finally {
    await folder.close();
  }
}

async function buildPeer(path: string, log: (line: string) => void): Promise<void> {
  mkdirSync(path, { recursive: true });
  const baseline = openBaselineLog(path);
  for await (const changes of observed(PEER_CHANGES)) baseline.append(changes);
  baseline.close();
  log(`tail: ${PEER_CHANGES} rows written for the peer`);
}

async function* observed(count: number): AsyncGenerator<readonly Observed[]> {
  async function* chunks(): AsyncGenerator<Buffer[]> {
    for (const block of liveEvents(count, { blockBytes: 1024 * 1024 })) yield [block];
  }
  for await (const lines of decodeWatch(chunks(), { ownsChunks: true })) {
    const observedAt = systemClock.now();
    yield lines.flatMap((line): readonly Observed[] => {
      if (line.kind !== 'object') return [];
      const { object, type } = line;
      return [{ ...object, type: TYPES[type], origin: 'watch', asOf: object.resourceVersion, observedAt }];
    });
  }
}

if (import.meta.main) {
  const [changes = '1000000', keep] = process.argv.slice(2);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const options = { changes: Number(changes), log: say, ...(keep === undefined ? {} : { keep }) };
  for (const row of await benchTail(options)) say(formatRow(row));
}

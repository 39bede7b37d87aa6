// A run that starts with a large collection recorded: from the start of the process to the first change on its stdout, where
// an object changes as soon as the run watches; and what a run that only catches up reads from the server, by how much was
// recorded and how much changed meanwhile.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { clusterObjects } from './cluster-objects.ts';
import { installPackage } from './installed-package.ts';
import { catchUp, followToFirstChange, type ServedCollection, serveCollection } from './mk8s-command.ts';
import { atMost, type BenchOptions, type BenchRow, benchRow, formatRow, ratioAtMost } from './report.ts';

/** Changes that were missed, where some were. */
const MISSED = 1_000;

interface Recorded {
  readonly server: ServedCollection;
  readonly folder: string;
}

/** `large`, `small`: objects recorded; default 200,000 and 2,000. */
export async function benchResume(
  options: BenchOptions & { large?: number; small?: number } = {},
): Promise<BenchRow[]> {
  const { large = 200_000, small = 2_000, runs = 5, log = () => {} } = options;
  const folder = mkdtempSync(join(tmpdir(), 'mk8s-bench-'));
  const servers: ServedCollection[] = [];
  try {
    const root = installPackage(join(folder, 'package'));
    const record = async (objects: number): Promise<Recorded> => {
      const server = await serveCollection(objects);
      servers.push(server);
      const recorded = { server, folder: join(folder, String(objects)) };
      await catchUp({ root, server: server.url, folder: recorded.folder });
      return recorded;
    };
    const [much, little] = [await record(large), await record(small)];
    const first = async ({ server, folder: at }: Recorded): Promise<number> => {
      await server.tell({ live: true });
      const ms = await followToFirstChange({ root, server: server.url, folder: at });
      await server.tell({ live: false });
      return ms;
    };
    /** What a run reads that only catches up, after so many changes were missed. */
    const bytesRead = async ({ server, folder: at }: Recorded, change: number): Promise<number> => {
      await server.tell({ change });
      const { recorded } = await catchUp({ root, server: server.url, folder: at });
      if (recorded.updated !== change) throw new Error(`${change} updates were missed, ${recorded.updated} recorded`);
      return (await server.tell({})).bytes;
    };
    const seen = {
      ms: [] as number[],
      nothing: [] as number[],
      bytes: [] as number[],
      few: [] as number[],
      missed: [] as number[],
    };
    // The first round is not counted: it fills the compile cache, and gives the proofs changes to look at.
    for (let round = -1; round < runs; round++) {
      const ms = await first(much);
      const floor = await startOfNode();
      await catchUp({ root, server: much.server.url, folder: much.folder });
      await much.server.tell({});
      await bytesRead(little, 2);
      const [bytes, few, missed] = [
        await bytesRead(much, 0),
        await bytesRead(little, 0),
        await bytesRead(much, MISSED),
      ];
      log(`resume: ${Math.round(ms)} ms; ${bytes} bytes, ${MISSED} missed ${missed}; with ${small} objects ${few}`);
      if (round < 0) continue;
      seen.ms.push(ms);
      seen.nothing.push(floor);
      seen.bytes.push(bytes);
      seen.few.push(few);
      seen.missed.push((missed - bytes) / MISSED);
    }
    return rowsOf(seen, { large, small, eventBytes: eventBytes() });
  } finally {
    for (const server of servers) server.stop();
    rmSync(folder, { recursive: true });
  }
}

function rowsOf(
  seen: Readonly<Record<'ms' | 'nothing' | 'bytes' | 'few' | 'missed', readonly number[]>>,
  { large, small, eventBytes: event }: { large: number; small: number; eventBytes: number },
): BenchRow[] {
  const what = `resume with ${large.toLocaleString('en-US')} known objects`;
  return [
    benchRow({
      what: `${what}: process start to first live change`,
      unit: 'ms',
      ours: seen.ms,
      peer: { name: 'node -e 0', runs: seen.nothing },
      bars: [atMost(500)],
    }),
    benchRow({
      what: `${what}: read from the server, nothing missed`,
      unit: 'bytes',
      ours: seen.bytes,
      peer: { name: `with ${small.toLocaleString('en-US')} known objects`, runs: seen.few },
      bars: [ratioAtMost(1.25)],
    }),
    benchRow({
      what: `${what}: read from the server for each missed change`,
      unit: 'bytes',
      ours: seen.missed,
      peer: { name: 'the event itself', runs: [event] },
      bars: [ratioAtMost(2)],
    }),
  ];
}

/** In the mean. */
function eventBytes(): number {
  const objects = clusterObjects(MISSED);
  const { version } = objects;
  for (let n = 0; n < MISSED; n++) objects.change();
  let bytes = 0;
  for (const pieces of objects.events(version)) bytes += pieces.reduce((sum, piece) => sum + piece.length, 0);
  return bytes / MISSED;
}

async function startOfNode(): Promise<number> {
  const before = performance.now();
  await promisify(execFile)(process.execPath, ['-e', '0']);
  return performance.now() - before;
}

if (import.meta.main) {
  const [large, small, runs] = process.argv.slice(2).map(Number);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const settings = { ...(large && { large }), ...(small && { small }), ...(runs && { runs }) };
  for (const row of await benchResume({ ...settings, log: say })) say(formatRow(row));
}

// 410 Gone with a large collection recorded, 1 % of it changed: the whole process, from its start to its end, ours (compared
// with the record, differences and tombstones recorded) against a process that reads the same pages and drops them, in turn.
// By pages and, where servers offer it (Kubernetes 1.34 and newer), by a streaming list; the peer reads pages in both.
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installPackage } from './installed-package.ts';
import { type CatchUp, catchUp, serveCollection } from './mk8s-command.ts';
import { atMost, type BenchOptions, type BenchRow, benchRow, formatRow, ratioAtMost } from './report.ts';

const run = promisify(execFile);
const WAYS = ['pages', 'a streaming list'] as const;

/** `objects`: default 200,000. */
export async function benchReconcile(options: BenchOptions & { objects?: number } = {}): Promise<BenchRow[]> {
  const { objects = 200_000, runs = 5, log = () => {} } = options;
  const folder = mkdtempSync(join(tmpdir(), 'mk8s-bench-'));
  const server = await serveCollection(objects);
  try {
    const root = installPackage(join(folder, 'package'));
    const [recorded, work] = [join(folder, 'recorded'), join(folder, 'work')];
    await catchUp({ root, server: server.url, folder: recorded });
    await server.tell({ changeOnePercent: true });
    const ours = new Map<string, CatchUp[]>(WAYS.map((way) => [way, []]));
    const bare: number[] = [];
    for (let round = 0; round < runs; round++) {
      for (const way of WAYS) {
        await server.tell({ streamingLists: way !== 'pages' });
        cpSync(recorded, work, { recursive: true });
        const result = await catchUp({ root, server: server.url, folder: work });
        rmSync(work, { recursive: true });
        checkChanges(result, objects);
        ours.get(way)?.push(result);
        log(`reconcile by ${way}: ${Math.round(result.milliseconds)} ms, ${Math.round(result.peakBytes / 1e6)} MB`);
      }
      bare.push(await drain(server.url));
      log(`pages read and dropped: ${Math.round(bare.at(-1) ?? 0)} ms`);
    }
    const what = (way: string): string =>
      `reconcile ${objects.toLocaleString('en-US')} objects, 1 % changed, by ${way}`;
    return WAYS.flatMap((way) => {
      const of = ours.get(way) ?? [];
      return [
        benchRow({
          what: `${what(way)}: time`,
          unit: 'ms',
          ours: of.map(({ milliseconds }) => milliseconds),
          peer: { name: 'the bare paged list', runs: bare },
          bars: [ratioAtMost(1.5)],
        }),
        benchRow({
          what: `${what(way)}: peak memory`,
          unit: 'MB',
          ours: of.map(({ peakBytes }) => peakBytes / 1e6),
          bars: [atMost(200)],
        }),
      ];
    });
  } finally {
    server.stop();
    rmSync(folder, { recursive: true });
  }
}

/** Of a hundred objects one changed: added, updated and deleted in equal parts. */
function checkChanges({ recorded: { added, updated, deleted } }: CatchUp, objects: number): void {
  const third = objects / 300;
  if ([added, updated, deleted].every((number) => Math.abs(number - third) <= 1)) return;
  throw new Error(
    `${third} objects were added, updated and deleted; recorded were ${added}, ${updated} and ${deleted}`,
  );
}

async function drain(server: string): Promise<number> {
  const before = performance.now();
  await run(process.execPath, ['--no-warnings', join(import.meta.dirname, 'list-drain.ts'), server]);
  return performance.now() - before;
}

if (import.meta.main) {
  const [objects, runs] = process.argv.slice(2).map(Number);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const settings = { ...(objects && { objects }), ...(runs && { runs }) };
  for (const row of await benchReconcile({ ...settings, log: say })) say(formatRow(row));
}

// `npm run bench [-- --json FILE]`: every figure is a ratio of two sides measured in turn in this run, on the same bytes.
// Prints a table, and writes the rows as JSON where asked.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { benchDecode } from './decode.ts';
import { benchLog } from './log.ts';
import { type BenchRow, formatRow } from './report.ts';
import { benchSync } from './sync.ts';

const { values } = parseArgs({ options: { json: { type: 'string' } } });
const { version } = createRequire(import.meta.url)('@kubernetes/client-node/package.json') as { version: string };
const machine = {
  node: process.version,
  clientNode: version,
  cores: availableParallelism(),
  processor: cpus()[0]?.model ?? 'unknown',
  loadBefore: loadavg()[0],
};
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const note = (line: string): void => void process.stderr.write(`${line}\n`);

say(
  `Node ${machine.node}, @kubernetes/client-node ${machine.clientNode}, ${machine.cores} cores (${machine.processor}), load ${machine.loadBefore?.toFixed(1)}`,
);
const rows: BenchRow[] = [];
for (const bench of [benchDecode, benchLog, benchSync]) {
  for (const row of await bench({ log: note })) {
    rows.push(row);
    say(formatRow(row));
  }
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, rows }, undefined, 2)}\n`);

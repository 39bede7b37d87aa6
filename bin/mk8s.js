#!/usr/bin/env node
// Finds a Node that can run mk8s, says so plainly where there is none, and starts the command line.
// Written for old Nodes too, so that they print a sentence instead of a syntax error.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const built = join(root, 'dist', 'cli', 'main.js');
// In a clone the sources run as they are; in an installed package they are compiled (Node strips no types there).
const main = existsSync(join(root, 'lib')) ? join(root, 'lib', 'cli', 'main.ts') : built;

if (Number(process.versions.node.split('.')[0]) >= 24) {
  const { enableCompileCache } = await import('node:module');
  enableCompileCache?.();
  await import(main);
} else {
  const bundled = join(root, 'node_modules', '.bin', 'node');
  if (!existsSync(bundled)) {
    process.stderr.write(
      `mk8s needs Node 24 or newer; this is ${process.version}. Install Node 24, then run the command again.\n`,
    );
    process.exit(1);
  }
  const child = spawn(bundled, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // The child flushes and ends in its own time; this process only waits, and passes on what was sent to it alone.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGKILL' ? 137 : 1)));
}

// Where the process begins: hands it to the command line and ends with its exit code.
import { writeSync } from 'node:fs';
import { outputTo } from './output.ts';
import { mk8s } from './program.ts';

process.on('uncaughtException', (error) => {
  // Said last, after the view has given the terminal back.
  process.once('exit', () => writeSync(2, `error: this is a bug in mk8s: ${error.stack ?? String(error)}\n`));
  process.exit(1);
});

const code = await mk8s(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  stdout: outputTo(process.stdout),
  stderr: outputTo(process.stderr),
  engine: () => import('../compose.ts'),
  process,
  now: Date.now,
});
// Everything was written by now; what still holds the process open (idle connections) shall not.
process.exit(code);

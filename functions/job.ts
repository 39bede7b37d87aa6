// The entry of the scheduled Cloud Run job. What it does is told by the environment (MK8S_SOURCE, MK8S_STORE, MK8S_SINKS …).
import { setTimeout as delay } from 'node:timers/promises';
import { job } from '../lib/cli/job.ts';
import { logLines } from '../lib/cli/log-lines.ts';

const exitCode = await job({
  env: process.env,
  cwd: process.cwd(),
  process,
  engine: () => import('../lib/compose.ts'),
  openLog: (level) => logLines(1, level),
  now: Date.now,
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
});
// What was to be written is written; what still holds the process open (idle connections) shall not.
process.exit(exitCode);

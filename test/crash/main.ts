// `npm run crash`: real processes, killed and worse, for so many rounds. Exits with 1 where a promise was broken.

import { runCrash } from './crash-run.ts';
import { type CrashOptions, parseOptions, usage } from './options.ts';

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    // Again, long after the first: at once. What was started is killed at the process' exit.
    if (stop.signal.aborted && performance.now() - stoppedAt > 300) process.exit(130);
    if (stop.signal.aborted) return;
    stoppedAt = performance.now();
    stop.abort(new Error(`${name} was received`));
  });
}
let stoppedAt = 0;

let options: CrashOptions;
try {
  options = parseOptions(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n\n${usage}`);
  process.exit(2);
}

try {
  const { failure, summary, left } = await runCrash(options, (line) => console.log(line), stop.signal);
  for (const line of summary) console.log(line);
  if (failure === undefined) console.log('lost 0; every promise held');
  else {
    console.error(`\nBROKEN in round ${failure.round} (${failure.what}), seed ${options.seed}:\n${failure.found}`);
    process.exitCode = 1;
  }
  if (left !== undefined) console.log(`Logs and the data folder are in ${left}`);
} catch (error) {
  if (!stop.signal.aborted) throw error;
  console.error(`${(stop.signal.reason as Error).message}: ended, and cleaned up`);
  process.exitCode = 130;
}

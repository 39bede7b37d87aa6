// `npm run sim -- --seeds N`: see --help.
import { drawProfile } from './profile.ts';
import { runWorld } from './world.ts';

const from = Number(process.argv[2] ?? 1);
const to = Number(process.argv[3] ?? from);
const traced = process.argv.includes('--trace');
const started = Date.now();
let failed = 0;
for (let seed = from; seed <= to; seed += 1) {
  const { failure, trace } = await runWorld(drawProfile(seed), { traced });
  for (const line of trace.lines) console.log(line);
  if (failure !== undefined) {
    failed += 1;
    console.log(`seed ${seed}: promise ${failure.promise}: ${failure.message.slice(0, 1500)}`);
  }
}
console.log(`${to - from + 1} seeds, ${failed} failed, ${Date.now() - started} ms`);

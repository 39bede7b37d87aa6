// One of the processes that share the seeds of `npm run sim`: takes a range at a time.
import { type Range, runBatch } from './batch.ts';

process.on('message', (range: Range) => {
  runBatch(range).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});

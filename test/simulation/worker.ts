// One of the processes that share the seeds of `npm run sim`: takes a range at a time.
import { runBatch } from './batch.ts';

process.on('message', ({ from, seeds, first }: { from: number; seeds: number; first: boolean }) => {
  runBatch(from, seeds, first).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});

// A short fuzz run over every target: its whole corpus, then some thousands of new cases. TEST_SEED repeats a run;
// `npm run fuzz -- --minutes 10` goes on for longer.
import { expect, test } from 'vitest';
import { testSeed } from '../support/seeded-random.ts';
import { keepInput } from './corpus.ts';
import { targetNamed, targetNames } from './targets.ts';
import { watchedRun } from './watched-run.ts';

const seed = testSeed();

test.each(targetNames)(
  `promises 1 and 7: bytes of any kind break no rule of %s (seed ${seed})`,
  { timeout: 180_000 },
  async (name) => {
    const { cases } = await targetNamed(name);
    const { failure, ...run } = await watchedRun({ target: name, seed, cases });
    if (failure !== undefined) {
      const { where, input, error } = failure;
      const file = where.startsWith('corpus') ? where : keepInput(name, input);
      expect.fail(`${name}, seed ${seed}, ${where}, input kept as ${file}: ${error}`);
    }
    expect(run.cases).toBe(cases);
  },
);
